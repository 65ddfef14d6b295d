// What signet-backend does to its own process before it touches a token.
#ifndef SIGNET_PROVIDERS_HOST_HARDENING_H_
#define SIGNET_PROVIDERS_HOST_HARDENING_H_

#include "absl/status/status.h"

namespace signet::providers {

// No core dump, no debugger of the same user, no descriptor above `socket`; dies with the agent,
// which is the parent and made the socket (else kFailedPrecondition). Ignores SIGINT, because ^C in
// a terminal is the agent's to handle, and SIGPIPE. Linux only.
absl::Status HardenProcess(int socket);

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_HOST_HARDENING_H_
