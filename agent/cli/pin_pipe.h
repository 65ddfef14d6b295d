// From a person or a script to a pipe: the only way a PIN passes through the CLI.
#ifndef SIGNET_AGENT_CLI_PIN_PIPE_H_
#define SIGNET_AGENT_CLI_PIN_PIPE_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/cli/console.h"
#include "ipc/transport/descriptor.h"

namespace signet::cli {

struct PinQuestion {
  std::string token;
  std::string tries{};      // what is left of them, for a person; empty: not worth a word
  bool from_stdin = false;  // a PIN comes that way, where input is no terminal
  bool new_pin = false;     // asked for twice on a terminal
};

// Reads one line from the console's input, from a terminal with echo off after the question, writes
// it into a pipe and returns the read end; what was read is wiped. kInvalidArgument when there is
// no PIN, when it is too long, when two new ones differ, and when nobody can be asked; kCancelled
// when a signal ended the question.
absl::StatusOr<ipc::Descriptor> ReadPinIntoPipe(const PinQuestion& question, Console& console);

// The read end of a pipe that holds nothing: for a token that asks for its PIN by itself.
absl::StatusOr<ipc::Descriptor> EmptyPipe();

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_PIN_PIPE_H_
