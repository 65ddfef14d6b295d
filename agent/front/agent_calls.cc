#include "agent/front/agent_calls.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "agent/audit/audit_entry.h"
#include "agent/front/admin_audit.h"
#include "agent/front/messages.h"
#include "agent/front/readiness.h"

namespace signet::agent {
namespace {

// Enough for a backend to find one that has a PIN, and far from what a message may have.
constexpr size_t kMostKeys = 64;
// Longer than readers wait for a person.
constexpr std::chrono::minutes kPatienceAtPinPad{2};

}  // namespace

AgentCalls::AgentCalls(Authentication& authentication, const IdentityStore& identities,
                       const Policy& policy, Tokens& tokens, AuditLog& audit)
    : authentication_(authentication),
      identities_(identities),
      policy_(policy),
      tokens_(tokens),
      audit_(audit) {}

asio::awaitable<v1::AuthenticateResponse> AgentCalls::Authenticate(
    Caller caller, std::shared_ptr<const CallingProcess> process, v1::AuthenticateRequest request) {
  absl::StatusOr<AuthenticationCall> call =
      FromMessage(request, caller, std::chrono::steady_clock::now());
  if (!call.ok()) {
    AuditEntry entry(audit_, "authenticate", caller);
    entry.record().origin = request.origin();
    entry.record().outcome = Name(DeclineReason::kMalformed);
    entry.record().detail = std::string(call.status().message());
    co_return ToMessage(
        Outcome(Declined{DeclineReason::kMalformed, std::string(call.status().message())}));
  }
  call->process = std::move(process);
  co_return ToMessage(co_await authentication_.Authenticate(*std::move(call)));
}

v1::ListIdentitiesResponse AgentCalls::ListIdentities(const Caller& caller) const {
  const std::shared_ptr<const Identities> identities = identities_.snapshot();
  const std::vector<BackendStatus> tokens = tokens_.Statuses();
  const auto now = std::chrono::system_clock::now();
  v1::ListIdentitiesResponse response;
  for (const Identity& identity : *identities) {
    if (!policy_.Lists(caller, FactsForRules(identity))) continue;
    *response.add_identities() = ToMessage(identity, WhyNotReady(identity, tokens, now));
  }
  return response;
}

asio::awaitable<absl::StatusOr<v1::CallerDescription>> AgentCalls::DescribeCaller(
    Caller caller, std::shared_ptr<const PeerProcess> process, bool with_sha256) {
  co_await process->Describe(caller);
  v1::CallerDescription description = ToMessage(caller);
  if (with_sha256) {
    absl::StatusOr<std::string> sha256 = co_await process->Sha256();
    if (!sha256.ok()) co_return sha256.status();
    description.set_sha256(*std::move(sha256));
  }
  co_return description;
}

asio::awaitable<absl::Status> AgentCalls::Unlock(Caller caller, std::string backend,
                                                 ipc::Descriptor pin, LastTry last_try) {
  AuditEntry entry(audit_, "unlock", caller);
  entry.record().backend = backend;
  const Deadline now = std::chrono::steady_clock::now();
  const std::vector<BackendStatus> tokens = tokens_.Statuses();
  const bool at_pin_pad = std::ranges::any_of(
      tokens, [&](const BackendStatus& token) { return token.name == backend && token.pin_pad; });
  const Deadline deadline = at_pin_pad ? now + kPatienceAtPinPad : ToDeadline(0, now);
  const std::shared_ptr<const Identities> identities = identities_.snapshot();
  std::vector<wire::Bytes> keys;
  for (const Identity& identity : *identities) {
    if (identity.key.backend == backend && keys.size() < kMostKeys) {
      keys.push_back(identity.key.reference);
    }
  }
  absl::Status unlocked = co_await tokens_.Unlock(std::move(backend), std::move(keys),
                                                  std::move(pin), last_try, deadline);
  SetUnlockOutcome(unlocked, entry.record());
  co_return unlocked;
}

}  // namespace signet::agent
