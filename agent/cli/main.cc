// signet, the admin CLI.
#include <google/protobuf/stubs/logging.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <iostream>

#include "agent/cli/cli.h"
#include "agent/cli/terminal.h"

int main(int argc, char** argv) {
  // A PIN passes through here: leave no core.
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  // What gRPC and protobuf log is not for the people who use this.
  google::protobuf::SetLogHandler(nullptr);
  setenv("GRPC_VERBOSITY", "NONE", 0);
  signet::cli::Console console{STDIN_FILENO, std::cout, std::cerr, isatty(STDERR_FILENO) == 1,
                               signet::cli::WantsColours(STDOUT_FILENO)};
  return signet::cli::RunCli({argv + 1, argv + argc}, console);
}
