// Authentication::SignContent: signatures within a protocol that the caller speaks itself.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/audit/audit_entry.h"
#include "agent/authentication/authentication.h"
#include "agent/authentication/declines.h"
#include "agent/authentication/signed_content.h"
#include "agent/identity/certificate_facts.h"
#include "agent/identity/key_usage.h"
#include "agent/identity/openssl.h"
#include "agent/identity/selection.h"
#include "agent/identity/signature_check.h"

namespace signet::agent {
namespace {

const Identity* Find(const Identities& identities, const std::string& name) {
  const auto found = std::ranges::find(identities, name, &Identity::name);
  return found != identities.end() ? &*found : nullptr;
}

// A client's authenticator looks the same and is built by the agent, for an origin.
constexpr char kOnlyServers[] =
    "an exported authenticator that a program has built is signed by identities of kind server "
    "alone; for a client's, let the HTTP stack ask the agent with the server's request (signet "
    "policy allow ORIGIN --identity NAME)";

// Why the identity can't serve the purpose, whoever asks; nothing when it can.
std::optional<std::string> WhyUnfit(const Identity& identity, Purpose purpose,
                                    std::chrono::system_clock::time_point now) {
  const bool for_server = purpose == Purpose::kServer;
  if (for_server != (identity.kind == IdentityKind::kServer)) {
    return for_server ? kOnlyServers
                      : "it is a server identity and signs nothing but exported authenticators of "
                        "a server (purpose server)";
  }
  if (identity.upstream) {
    return "it is another agent's, which is asked only for exported authenticators; let the "
           "program "
           "reach that agent: SIGNET_AGENT_SOCKET";
  }
  if (purpose == Purpose::kCsr) return std::nullopt;
  if (auto unusable = WhyUnusable(identity, now)) return unusable;
  const std::shared_ptr<const ChainFacts> facts = FactsOf(identity);
  if (!MaySign(*facts) || !(for_server ? MayBeServer(*facts) : MayBeClient(*facts))) {
    return absl::StrCat("its certificate is not for ", for_server ? "servers" : "clients",
                        "; get one with key usage digitalSignature and extended key usage ",
                        for_server ? "serverAuth" : "clientAuth");
  }
  return std::nullopt;
}

Declined Unfit(const Identity& identity, absl::string_view why) {
  return {DeclineReason::kNoIdentity, absl::StrCat("identity \"", identity.name, "\": ", why)};
}

}  // namespace

asio::awaitable<SigningOutcome> Authentication::SignContent(SigningCall call) {
  AuditEntry entry(audit_, "sign", call.caller);
  AuditRecord& record = entry.record();
  SigningOutcome outcome = co_await Decide(call, record);
  if (const auto* declined = std::get_if<Declined>(&outcome)) {
    record.outcome = Name(declined->reason);
    record.detail = declined->detail;
  } else {
    record.outcome = "signed";
  }
  co_return outcome;
}

asio::awaitable<SigningOutcome> Authentication::Decide(SigningCall& call, AuditRecord& record) {
  if (!MayAsk(call.caller)) {
    co_return TooOften("this program asks", policy_.limits().per_caller, "per_caller");
  }
  if (auto changed = WhatChanged(*call.process)) co_return *std::move(changed);
  const SignedContent content = ReadSignedContent(call.content);
  if (!content.purpose) co_return Declined{DeclineReason::kMalformed, content.why_none};
  record.purpose = Name(*content.purpose);
  if (std::chrono::steady_clock::now() >= call.deadline) {
    co_return Declined{DeclineReason::kDeadline,
                       "the time for an answer is over before it began; allow more"};
  }
  if (absl::Status recording = audit_.CheckRecording(); !recording.ok()) {
    co_return Declined{DeclineReason::kDenied, std::string(recording.message())};
  }

  // The rules first: whom none admits learns nothing of what there is.
  const std::shared_ptr<const Identities> identities = identities_.snapshot();
  const Identity* identity = Find(*identities, call.identity);
  Decision decision =
      policy_.Decide(call.caller, Use(*content.purpose),
                     identity != nullptr ? FactsForRules(*identity) : IdentityFacts{call.identity});
  // Which certificate the caller shows is not to be seen here: one that is of use will do.
  if (decision.verdict != Verdict::kAllow && identity != nullptr && identity->previous != nullptr &&
      !WhyUnfit(*identity->previous, *content.purpose, now_())) {
    Decision other =
        policy_.Decide(call.caller, Use(*content.purpose), FactsForRules(*identity->previous));
    if (other.verdict == Verdict::kAllow) decision = std::move(other);
  }
  if (decision.rule != nullptr) record.rule = decision.rule->Where();
  if (identity != nullptr) record.identity = identity->name;
  if (decision.verdict != Verdict::kAllow) {
    std::string why = decision.reason;
    if (*content.purpose == Purpose::kServer) absl::StrAppend(&why, "; ", kOnlyServers);
    co_return Declined{DeclineReason::kDenied, std::move(why)};
  }
  if (identity == nullptr) {
    co_return Declined{DeclineReason::kNoIdentity,
                       absl::StrCat("identity \"", call.identity,
                                    "\": there is none of that name; see signet identity list")};
  }
  if (auto why = WhyUnfit(*identity, *content.purpose, now_())) co_return Unfit(*identity, *why);
  if (!call.public_key.empty() && call.public_key != identity->public_key) {
    co_return Unfit(
        *identity, absl::StrCat("its key is another now; write its reference anew: signet identity "
                                "reference ",
                                identity->name));
  }
  if (*content.purpose == Purpose::kCsr && content.public_key != identity->public_key) {
    co_return Declined{DeclineReason::kDenied,
                       absl::StrCat("identity \"", identity->name,
                                    "\": purpose csr: the request is for another key, and a key "
                                    "signs only its own; no rule can allow more")};
  }
  if (!wire::IsTls13Signature(call.scheme) ||
      std::ranges::find(identity->schemes, call.scheme) == identity->schemes.end()) {
    co_return Unfit(*identity,
                    absl::StrCat("its key (", identity->algorithm, ") does not sign with ",
                                 std::string(wire::Name(call.scheme)),
                                 "; let the other side accept an algorithm of such keys"));
  }

  if (!signed_by_.Take(KeyName(identity->key), policy_.limits().per_key, now_())) {
    co_return TooOften(absl::StrCat("identity \"", identity->name, "\" is asked for"),
                       policy_.limits().per_key, "per_key");
  }
  SignatureCheck check = CheckWith(DecodeDer(d2i_PUBKEY, identity->public_key), call.scheme);
  absl::StatusOr<wire::Bytes> signature = co_await signer_.Sign(
      identity->key, call.scheme, call.content, std::move(check), call.deadline);
  if (!signature.ok()) co_return TokenRefused(*identity, signature.status());
  co_return *std::move(signature);
}

}  // namespace signet::agent
