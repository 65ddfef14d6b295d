// The flow: from one CertificateRequest to Certificate and CertificateVerify, or a reason why not.
#ifndef SIGNET_AGENT_AUTHENTICATION_AUTHENTICATION_H_
#define SIGNET_AGENT_AUTHENTICATION_AUTHENTICATION_H_

#include <asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/audit/audit_log.h"
#include "agent/authentication/calling_process.h"
#include "agent/authentication/connection_ledger.h"
#include "agent/consent/consent.h"
#include "agent/identity/identity_store.h"
#include "agent/identity/key_source.h"
#include "agent/policy/policy.h"
#include "agent/policy/rate_limits.h"
#include "agent/policy/remembered_answers.h"
#include "ipc/wire/authenticator.h"
#include "ipc/wire/certificate_request.h"

namespace signet::agent {

// What one caller asks; everything after `process` is the caller's word.
struct AuthenticationCall {
  Caller caller;
  std::shared_ptr<const CallingProcess> process;  // never null
  wire::PrfHash hash = wire::PrfHash::kSha256;
  wire::Bytes handshake_context;
  wire::Bytes request;
  std::string origin;
  Deadline deadline;
  // Not empty: only this identity, and not another agent's. So asks an agent that forwards a call.
  std::string identity = {};
  // Not empty: only with the certificate of that SHA-256, as CertificateSummary has it.
  std::string certificate = {};
};

// The two messages that the client library completes with Finished.
struct Authenticated {
  wire::Bytes certificate;
  wire::Bytes certificate_verify;
  std::string identity;
  IdentityKind kind;
  std::string subject;
};

enum class DeclineReason : uint8_t {
  kNoIdentity,
  kDenied,
  kConsent,
  kTokenLocked,
  kTokenFailed,
  kDeadline,
  kLimit,
  kMalformed,
  kCallerChanged,
};
std::string_view Name(DeclineReason reason);  // "no-identity", "denied", ...

// An expected refusal: a value, not an error.
struct Declined {
  DeclineReason reason;
  std::string detail;  // for a person: what happened and what to do next
};

using Outcome = std::variant<Authenticated, Declined>;

// What one caller asks within a protocol that it speaks itself; all after `process` is its word.
struct SigningCall {
  Caller caller;
  std::shared_ptr<const CallingProcess> process;  // never null
  std::string identity;
  wire::SignatureScheme scheme{};
  wire::Bytes content;
  wire::Bytes public_key;  // what it takes for the identity's; empty: whichever it is
  Deadline deadline;
};

using SigningOutcome = std::variant<wire::Bytes, Declined>;  // the signature

struct Admitted;  // admission.h
class Upstream;   // upstream.h

// Loop thread only. All references outlive it; it outlives every call in flight.
class Authentication {
 public:
  using WallClock = std::function<std::chrono::system_clock::time_point()>;

  // Requests of type 13 with their header, and of other forms if they are let in. A request of type
  // 17 is what a client sends: only who lets it in signs what a server would have answered.
  Authentication(const IdentityStore& identities, const Policy& policy, Prompter& prompter,
                 Signer& signer, AuditLog& audit, WallClock now, wire::RequestForms forms = {},
                 Upstream* upstream = nullptr);

  // select → policy → consent → sign → verify. The caller's process is checked at first and again
  // when a person was asked, so that what is signed is for who asked. Cancelling the coroutine
  // stops waiting; a signature under way is then dropped. The signer checks each signature with the
  // certificate's key (a wrong one is kTokenFailed).
  asio::awaitable<Outcome> Authenticate(AuthenticationCall call);

  // read → policy → sign → verify, for the purposes of signed_content.h. No person is
  // asked: a handshake does not wait. Else as Authenticate.
  asio::awaitable<SigningOutcome> SignContent(SigningCall call);

  // What persons agreed to.
  RememberedAnswers& remembered() { return remembered_; }

 private:
  // May this caller ask once more now?
  bool MayAsk(const Caller& caller);
  asio::awaitable<Outcome> Decide(AuthenticationCall& call, AuditRecord& record);

  asio::awaitable<SigningOutcome> Decide(SigningCall& call, AuditRecord& record);

  // Does a rule ask, and has nobody agreed yet for as long as the rule says?
  bool Asks(const AuthenticationCall& call, const Origin& origin, const Admitted& one) const;
  bool NeedsPerson(const AuthenticationCall& call, const Origin& origin, const Admitted& one) const;
  // Puts all of them before a person: the index of the one chosen.
  asio::awaitable<std::variant<size_t, Declined>> Ask(AuthenticationCall& call,
                                                      const Origin& origin,
                                                      const std::vector<Admitted>& choices);
  // A token that is found to be locked only now gets one chance to be unlocked.
  asio::awaitable<absl::StatusOr<wire::Bytes>> Sign(AuthenticationCall& call, const Origin& origin,
                                                    const Admitted& chosen, wire::BytesView message,
                                                    bool asked);
  // The same of another agent's identity: that agent is given the whole call.
  asio::awaitable<Outcome> Forward(const AuthenticationCall& call, const Identity& identity,
                                   const wire::CertificateRequest& request,
                                   wire::BytesView certificate, wire::BytesView message);

  const IdentityStore& identities_;
  const Policy& policy_;
  Prompter& prompter_;
  Signer& signer_;
  AuditLog& audit_;
  WallClock now_;
  const wire::RequestForms forms_;
  Upstream* const upstream_;  // not null when there is an identity of another agent
  ConnectionLedger ledger_;
  CallerNames caller_names_;
  TokenBuckets asked_;      // by caller
  TokenBuckets signed_by_;  // by key
  RememberedAnswers remembered_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_AUTHENTICATION_AUTHENTICATION_H_
