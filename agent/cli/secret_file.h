// Secrets that a command is given by file or standard input, and never on the command line.
#ifndef SIGNET_AGENT_CLI_SECRET_FILE_H_
#define SIGNET_AGENT_CLI_SECRET_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/cli/console.h"

namespace signet::cli {

// The one line of the file, or of standard input for "-", without its end. `what` it is goes into
// errors: "refresh token". Fails for none and for one of more than 64 KiB.
absl::StatusOr<std::string> ReadSecret(const std::string& path, const std::string& what,
                                       Console& console);

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_SECRET_FILE_H_
