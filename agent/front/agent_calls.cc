#include "agent/front/agent_calls.h"

#include <chrono>
#include <memory>
#include <utility>

#include "agent/audit/audit_entry.h"
#include "agent/front/messages.h"
#include "agent/front/readiness.h"

namespace signet::agent {
namespace {

void AddDetails(const Identity& identity, v1::Identity& listed) {
  for (const wire::Bytes& der : identity.chain) listed.add_chain(der.data(), der.size());
  if (identity.previous != nullptr) {
    for (const wire::Bytes& der : identity.previous->chain) {
      listed.mutable_previous()->add_chain(der.data(), der.size());
    }
  }
  for (const wire::SignatureScheme scheme : identity.schemes) {
    listed.add_signature_schemes(static_cast<uint16_t>(scheme));
  }
}

}  // namespace

AgentCalls::AgentCalls(Authentication& authentication, const IdentityStore& identities,
                       const Policy& policy, Tokens& tokens, AuditLog& audit)
    : authentication_(authentication),
      identities_(identities),
      policy_(policy),
      tokens_(tokens),
      audit_(audit),
      unlocking_(tokens, identities, audit) {}

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

asio::awaitable<v1::SignResponse> AgentCalls::Sign(Caller caller,
                                                   std::shared_ptr<const CallingProcess> process,
                                                   v1::SignRequest request) {
  SigningCall call = FromMessage(request, std::move(caller), std::chrono::steady_clock::now());
  call.process = std::move(process);
  co_return ToMessage(co_await authentication_.SignContent(std::move(call)));
}

v1::GetKeyResponse AgentCalls::GetKey(const Caller& caller,
                                      const v1::GetKeyRequest& request) const {
  const std::shared_ptr<const Identities> identities = identities_.snapshot();
  const auto identity = std::ranges::find(*identities, request.identity(), &Identity::name);
  const bool exists = identity != identities->end();
  const IdentityFacts facts = exists ? FactsForRules(*identity) : IdentityFacts{request.identity()};
  const bool admitted = std::ranges::any_of(kWithoutOrigin, [&](Purpose purpose) {
    const auto allows = [&](const IdentityFacts& one) {
      return policy_.Decide(caller, Use(purpose), one).verdict == Verdict::kAllow;
    };
    return allows(facts) ||
           (exists && identity->previous != nullptr && allows(FactsForRules(*identity->previous)));
  });
  if (admitted && exists) return ToKeyMessage(*identity);
  const std::string why_not = policy_.Decide(caller, Use(Purpose::kTlsClient), facts).reason +
                              " (an identity of kind server: --purpose server; for requests "
                              "alone: --purpose csr)";
  const Declined declined =
      admitted ? Declined{DeclineReason::kNoIdentity,
                          "identity \"" + request.identity() +
                              "\": there is none of that name; see signet identity list"}
               : Declined{DeclineReason::kDenied, why_not};
  AuditEntry entry(audit_, "get-key", caller);
  if (exists) entry.record().identity = identity->name;
  entry.record().outcome = Name(declined.reason);
  entry.record().detail = declined.detail;
  v1::GetKeyResponse response;
  *response.mutable_declined() = ToMessage(declined);
  return response;
}

v1::ListIdentitiesResponse AgentCalls::ListIdentities(
    const Caller& caller, const v1::ListIdentitiesRequest& request) const {
  const std::shared_ptr<const Identities> identities = identities_.snapshot();
  const std::vector<BackendStatus> tokens = tokens_.Statuses();
  const auto now = std::chrono::system_clock::now();
  v1::ListIdentitiesResponse response;
  for (const Identity& identity : *identities) {
    if (request.own() && identity.upstream) continue;
    if (!policy_.Lists(caller, FactsForRules(identity))) continue;
    v1::Identity& listed = *response.add_identities();
    listed = ToMessage(identity, WhyNotReady(identity, tokens, now));
    if (request.own()) AddDetails(identity, listed);
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

}  // namespace signet::agent
