// Unlocking a token with a person's PIN, which is never seen here.
#ifndef SIGNET_AGENT_FRONT_UNLOCKING_H_
#define SIGNET_AGENT_FRONT_UNLOCKING_H_

#include <asio/awaitable.hpp>
#include <optional>
#include <string>

#include "agent/audit/audit_log.h"
#include "agent/front/tokens.h"
#include "agent/identity/identity_store.h"
#include "agent/prompting/token_desk.h"

namespace signet::agent {

// Loop thread only; all references outlive it, and it every call.
class Unlocking final : public TokenDesk {
 public:
  Unlocking(Tokens& tokens, const IdentityStore& identities, AuditLog& audit)
      : tokens_(tokens), identities_(identities), audit_(audit) {}

  std::optional<BackendStatus> StatusOf(const std::string& backend) const override;

  // Recorded, whichever way it ends.
  asio::awaitable<absl::Status> Unlock(Caller caller, std::string backend, ipc::Descriptor pin,
                                       LastTry last_try) override;

 private:
  Tokens& tokens_;
  const IdentityStore& identities_;
  AuditLog& audit_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_FRONT_UNLOCKING_H_
