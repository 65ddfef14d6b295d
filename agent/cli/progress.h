// A line that shows that something slow is going on.
#ifndef SIGNET_AGENT_CLI_PROGRESS_H_
#define SIGNET_AGENT_CLI_PROGRESS_H_

#include <string>
#include <thread>

#include "agent/cli/console.h"

namespace signet::cli {

// While it lives, standard error shows `what` and the seconds so far, if it is a terminal; nothing
// else may write there meanwhile. The line is gone afterwards.
class Progress {
 public:
  Progress(std::string what, Console& console);

 private:
  std::jthread thread_;
};

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_PROGRESS_H_
