// The streams of one run of the CLI, so that a test can be the terminal.
#ifndef SIGNET_AGENT_CLI_CONSOLE_H_
#define SIGNET_AGENT_CLI_CONSOLE_H_

#include <ostream>

namespace signet::cli {

// Borrows everything. `in` is a descriptor and no stream, because a PIN must not stay behind in a
// stream's buffer.
struct Console {
  int in;
  std::ostream& out;
  std::ostream& err;
  bool err_is_terminal = false;  // then progress is shown
  bool colours = false;          // on `out`
};

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_CONSOLE_H_
