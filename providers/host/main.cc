// signet-backend: one token source in a process of its own, so that a module that crashes or hangs
// costs its own requests and nothing else.
#include <iostream>
#include <string_view>

#include "ipc/transport/blocking_channel.h"
#include "providers/host/backend_factory.h"
#include "providers/host/hardening.h"
#include "providers/host/serve.h"

namespace {

// Where signetd leaves the socket when it starts this program.
constexpr int kAgentSocket = 3;

constexpr std::string_view kHelp = R"(usage: signet-backend

Holds the keys of one token source (a TPM, a PKCS#11 token, or key files for trials) for signetd,
which starts one such process for each [[backend]] of its configuration and tells it over the
socket at descriptor 3 what to be. There is nothing to start by hand: see signetd --help.

Ends with 0 when signetd closes the socket, and with 2 when it was not started by signetd or the
messages on the socket make no sense. It dies with signetd.
)";

constexpr int kUsageError = 2;

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    std::cout << kHelp;
    return 0;
  }
  if (argc > 1) {
    std::cerr << "signet-backend: unknown argument; see signet-backend --help\n";
    return kUsageError;
  }
  if (absl::Status status = signet::providers::HardenProcess(kAgentSocket); !status.ok()) {
    std::cerr << "signet-backend: start: " << status.message() << "\n";
    return kUsageError;
  }
  signet::ipc::BlockingChannel agent{signet::ipc::Descriptor(kAgentSocket)};
  const auto clock = signet::providers::MakeBootClock();
  if (!clock.ok()) {
    std::cerr << "signet-backend: start: " << clock.status().message() << "\n";
    return kUsageError;
  }
  return signet::providers::Serve(agent, signet::providers::MakeBackend, **clock);
}
