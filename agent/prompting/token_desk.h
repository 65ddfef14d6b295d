// What a prompt needs of tokens: how they stand, and to hand a PIN on. Implemented over the
// backends by agent/front; faked in this folder's tests.
#ifndef SIGNET_AGENT_PROMPTING_TOKEN_DESK_H_
#define SIGNET_AGENT_PROMPTING_TOKEN_DESK_H_

#include <asio/awaitable.hpp>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "agent/backends/backend_status.h"
#include "agent/policy/caller.h"
#include "ipc/transport/descriptor.h"

namespace signet::agent {

// Loop thread only.
class TokenDesk {
 public:
  virtual ~TokenDesk() = default;

  // Nothing for a backend that is not configured.
  virtual std::optional<BackendStatus> StatusOf(const std::string& backend) const = 0;

  // Hands the read end of the PIN's pipe to the backend, unread; tries it once, or lets the reader
  // ask. On record as what this caller brought about. kPermissionDenied for a wrong PIN,
  // kResourceExhausted when the PIN is blocked, kFailedPrecondition when the last try is to be
  // kept. StatusOf knows by then how many are left.
  virtual asio::awaitable<absl::Status> Unlock(Caller caller, std::string backend,
                                               ipc::Descriptor pin, LastTry last_try) = 0;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_PROMPTING_TOKEN_DESK_H_
