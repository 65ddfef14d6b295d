// The admin CLI: `signet status|token|identity|policy|oauth` and so on.
#ifndef SIGNET_AGENT_CLI_CLI_H_
#define SIGNET_AGENT_CLI_CLI_H_

#include <string>
#include <vector>

#include "agent/cli/console.h"

namespace signet::cli {

// Runs one command line (without the program's name) to its end and returns the exit code. Blocks.
int RunCli(std::vector<std::string> arguments, Console& console);

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_CLI_H_
