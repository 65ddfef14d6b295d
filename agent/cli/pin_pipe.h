// From a person or a script to a pipe: the only way a PIN passes through the CLI.
#ifndef SIGNET_AGENT_CLI_PIN_PIPE_H_
#define SIGNET_AGENT_CLI_PIN_PIPE_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/cli/console.h"
#include "ipc/transport/descriptor.h"

namespace signet::cli {

// Reads one line from the console's input, from a terminal with echo off after a question that
// names `token`, writes it into a pipe and returns the read end; what was read is wiped.
// kInvalidArgument when there is no PIN, when it is too long, and when input is no terminal and
// `from_stdin` does not say that a PIN comes that way; kCancelled when a signal ended the question.
// A `new_pin` is asked for twice on a terminal, and kInvalidArgument when the two differ.
absl::StatusOr<ipc::Descriptor> ReadPinIntoPipe(const std::string& token, bool from_stdin,
                                                bool new_pin, Console& console);

// The read end of a pipe that holds nothing: for a token that asks for its PIN by itself.
absl::StatusOr<ipc::Descriptor> EmptyPipe();

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_PIN_PIPE_H_
