// What an application may ask, whichever socket it came through. Whether it may was decided before
// (Gate).
#ifndef SIGNET_AGENT_FRONT_AGENT_CALLS_H_
#define SIGNET_AGENT_FRONT_AGENT_CALLS_H_

#include <asio/awaitable.hpp>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/audit/audit_log.h"
#include "agent/authentication/authentication.h"
#include "agent/caller/peer_process.h"
#include "agent/front/tokens.h"
#include "agent/front/unlocking.h"
#include "agent/identity/identity_store.h"
#include "agent/policy/policy.h"
#include "ipc/agent.pb.h"
#include "ipc/transport/descriptor.h"

namespace signet::agent {

// Loop thread only; all references outlive it. Arguments are taken by value: they live as long as
// the call does.
class AgentCalls {
 public:
  AgentCalls(Authentication& authentication, const IdentityStore& identities, const Policy& policy,
             Tokens& tokens, AuditLog& audit);

  // A message that can't be read is declined, like every other refusal.
  asio::awaitable<v1::AuthenticateResponse> Authenticate(
      Caller caller, std::shared_ptr<const CallingProcess> process,
      v1::AuthenticateRequest request);

  asio::awaitable<v1::SignResponse> Sign(Caller caller,
                                         std::shared_ptr<const CallingProcess> process,
                                         v1::SignRequest request);

  // For whom a rule of purpose tls-client, csr or server allows it; a refusal is recorded.
  v1::GetKeyResponse GetKey(const Caller& caller, const v1::GetKeyRequest& request) const;

  // Only what some rule admits for this caller.
  v1::ListIdentitiesResponse ListIdentities(const Caller& caller,
                                            const v1::ListIdentitiesRequest& request) const;

  // Errors are those of the hash, when it is asked for.
  static asio::awaitable<absl::StatusOr<v1::CallerDescription>> DescribeCaller(
      Caller caller, std::shared_ptr<const PeerProcess> process, bool with_sha256);

  Unlocking& unlocking() { return unlocking_; }

 private:
  Authentication& authentication_;
  const IdentityStore& identities_;
  const Policy& policy_;
  Tokens& tokens_;
  AuditLog& audit_;
  Unlocking unlocking_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_FRONT_AGENT_CALLS_H_
