// The token sources as a person sees them: their state, and locking. Implemented over
// agent/backends; faked in this folder's tests.
#ifndef SIGNET_AGENT_FRONT_TOKENS_H_
#define SIGNET_AGENT_FRONT_TOKENS_H_

#include <asio/awaitable.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/backends/backend_status.h"
#include "agent/identity/key_source.h"
#include "ipc/transport/descriptor.h"

namespace signet::agent {

// Loop thread only.
class Tokens {
 public:
  virtual ~Tokens() = default;

  virtual std::vector<BackendStatus> Statuses() const = 0;

  // Can anything of this backend be changed here? kUnimplemented, and whom to ask, when it is
  // another agent. kOk for an unknown one.
  virtual absl::Status CheckOurs(const std::string& backend) const = 0;

  // Hands the read end of the PIN's pipe to the backend, unread, and references of its keys: some
  // tokens can try a PIN on nothing else. kNotFound for an unknown backend,
  // kPermissionDenied for a wrong PIN, kResourceExhausted when the PIN is blocked,
  // kFailedPrecondition when the last try is to be kept. Statuses knows by then how many are left.
  virtual asio::awaitable<absl::Status> Unlock(std::string backend, std::vector<wire::Bytes> keys,
                                               ipc::Descriptor pin, LastTry last_try,
                                               Deadline deadline) = 0;
  virtual asio::awaitable<absl::Status> Lock(std::string backend, Deadline deadline) = 0;
  // When it returns, at the latest soon after the deadline, no token is unlocked and nobody knows a
  // PIN; also where a backend does not answer. Unlocks that wait fail.
  virtual asio::awaitable<void> LockAll(Deadline deadline) = 0;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_FRONT_TOKENS_H_
