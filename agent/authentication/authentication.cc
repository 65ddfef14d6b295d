#include "agent/authentication/authentication.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/audit/audit_entry.h"
#include "agent/authentication/admission.h"
#include "agent/authentication/declines.h"
#include "agent/authentication/forwarded_answer.h"
#include "agent/authentication/upstream.h"
#include "agent/identity/certificate_facts.h"
#include "agent/identity/openssl.h"
#include "agent/identity/selection.h"
#include "agent/identity/signature_check.h"
#include "ipc/wire/certificate_request.h"

namespace signet::agent {
namespace {

std::string Why(wire::Error error) { return std::string(wire::Describe(error)); }

// A rule counts for an unknown program too, where it is stricter; that is not to be believed.
bool TrustsOrigin(const Admitted& admitted, const Caller& caller) {
  return admitted.origin_trusted && caller.executable.has_value();
}

void SetChosen(const Admitted& chosen, AuditRecord& record) {
  record.identity = chosen.identity().name;
  record.rule = chosen.rule;
  record.detail = chosen.candidate.previous ? "with its previous certificate" : "";
  if (chosen.identity().upstream) record.backend = chosen.identity().key.backend;
}

void SetOutcome(const Outcome& outcome, AuditRecord& record) {
  if (const auto* declined = std::get_if<Declined>(&outcome)) {
    record.outcome = Name(declined->reason);
    record.detail = declined->detail;
  } else {
    record.outcome = "authenticated";
  }
}

Declined LimitReached(ConnectionLedger::Admission admission, const Identity& identity,
                      const Origin& origin) {
  if (admission == ConnectionLedger::Admission::kAlreadyGiven) {
    return {DeclineReason::kLimit,
            absl::StrCat("identity \"", identity.name,
                         "\" was already given on this connection; a new connection can have it "
                         "again")};
  }
  return {DeclineReason::kLimit,
          absl::StrCat("a further ", std::string(Name(identity.kind)),
                       " identity on one connection must be named by a rule; to allow: signet "
                       "policy allow ",
                       origin.ToString(), " --identity ", identity.name)};
}

Declined NotAgreed(const Answer& answer, const Admitted& first, const Origin& origin) {
  switch (answer.kind) {
    case Answer::Kind::kTooLate:
      return {DeclineReason::kDeadline, answer.reason};
    case Answer::Kind::kTooMany:
      return {DeclineReason::kLimit, answer.reason};
    case Answer::Kind::kNobody:
      return {DeclineReason::kConsent,
              absl::StrCat("a rule asks a person about identity \"", first.identity().name,
                           "\" at ", origin.ToString(), ", but nobody can be asked: ",
                           answer.reason, "; to allow without asking: signet policy allow ",
                           origin.ToString(), " --identity ", first.identity().name)};
    default:
      return {DeclineReason::kConsent, answer.reason};
  }
}

// A server has its trust anchors itself, so ours only takes room (RFC 8446 section 4.4.2).
std::vector<wire::Bytes> WithoutAnchor(std::vector<wire::Bytes> chain, const ChainFacts& facts) {
  if (chain.size() > 1 && facts.certificates.back().self_issued()) chain.pop_back();
  return chain;
}

// What another agent forwards is for one identity of our own, with the certificate that it knows.
void KeepOnly(const std::string& name, const std::string& certificate, Selection& selection) {
  const bool any = !selection.candidates.empty();
  std::erase_if(selection.candidates, [&](const Candidate& candidate) {
    return candidate.identity->upstream || candidate.identity->name != name ||
           (!certificate.empty() && Summarize(*candidate.identity).sha256 != certificate);
  });
  if (any && selection.candidates.empty()) {
    selection.why_none = absl::StrCat("identity \"", name, "\", the only one asked for",
                                      certificate.empty() ? "" : " and with one certificate only",
                                      ", is not there or does not fit");
  }
}

// RFC 9261 section 5.2.2; no TLS-side state but what was given.
wire::Bytes HashTranscript(const AuthenticationCall& call, wire::BytesView certificate) {
  const OpenSslPtr<EVP_MD_CTX> context(EVP_MD_CTX_new());
  wire::Bytes hash(wire::HashSize(call.hash));
  const EVP_MD* function = call.hash == wire::PrfHash::kSha256 ? EVP_sha256() : EVP_sha384();
  EVP_DigestInit_ex(context.get(), function, nullptr);
  for (wire::BytesView part :
       {wire::BytesView(call.handshake_context), wire::BytesView(call.request), certificate}) {
    EVP_DigestUpdate(context.get(), part.data(), part.size());
  }
  EVP_DigestFinal_ex(context.get(), hash.data(), nullptr);
  return hash;
}

}  // namespace

Authentication::Authentication(const IdentityStore& identities, const Policy& policy,
                               Prompter& prompter, Signer& signer, AuditLog& audit, WallClock now,
                               wire::RequestForms forms, Upstream* upstream)
    : identities_(identities),
      policy_(policy),
      prompter_(prompter),
      signer_(signer),
      audit_(audit),
      now_(std::move(now)),
      forms_(forms),
      upstream_(upstream) {}

asio::awaitable<Outcome> Authentication::Authenticate(AuthenticationCall call) {
  AuditEntry entry(audit_, "authenticate", call.caller);
  entry.record().origin = call.origin;
  Outcome outcome = co_await Decide(call, entry.record());
  SetOutcome(outcome, entry.record());
  co_return outcome;
}

bool Authentication::MayAsk(const Caller& caller) {
  const uint32_t limit = policy_.limits().per_caller;
  return limit == 0 || asked_.Take(caller_names_.NameOf(caller), limit, now_());
}

bool Authentication::Asks(const AuthenticationCall& call, const Origin& origin,
                          const Admitted& one) const {
  if (!one.ask) return false;
  const std::optional<Question> question =
      MakeQuestion(call.caller, origin, one.identity(), call.handshake_context);
  return !question || !remembered_.Agreed(*question, one.once_per, now_());
}

bool Authentication::NeedsPerson(const AuthenticationCall& call, const Origin& origin,
                                 const Admitted& one) const {
  return signer_.WantsPin(one.identity().key) || Asks(call, origin, one);
}

asio::awaitable<std::variant<size_t, Declined>> Authentication::Ask(
    AuthenticationCall& call, const Origin& origin, const std::vector<Admitted>& choices) {
  co_await call.process->Describe(call.caller);
  // What one of them would not believe stays a claim.
  Prompt prompt{call.caller, origin, true, {}, call.deadline};
  for (const Admitted& one : choices) {
    prompt.origin_trusted = prompt.origin_trusted && TrustsOrigin(one, call.caller);
    prompt.choices.push_back({one.identity(), Asks(call, origin, one),
                              signer_.WantsPin(one.identity().key), one.once_per});
  }
  std::vector<bool> asked;
  for (const Choice& choice : prompt.choices) asked.push_back(choice.asks);
  Settled settled = [&]() -> std::optional<size_t> {
    for (size_t i = 0; i < choices.size(); ++i) {
      if (!NeedsPerson(call, origin, choices[i])) return i;
    }
    return std::nullopt;
  };
  const Answer answer = co_await prompter_.Ask(std::move(prompt), std::move(settled));
  if (answer.kind == Answer::Kind::kNobody) {
    // What no rule asks about goes to its token, which says how to unlock it.
    for (size_t i = 0; i < choices.size(); ++i) {
      if (!Asks(call, origin, choices[i])) co_return i;
    }
  }
  if (answer.kind != Answer::Kind::kChosen) co_return NotAgreed(answer, choices.front(), origin);
  const Admitted& chosen = choices.at(answer.choice);
  if (auto changed = WhatChanged(*call.process))
    co_return *std::move(changed);  // what nobody agreed to
  // Not what is remembered already: that would make it last longer.
  if (asked[answer.choice] && Asks(call, origin, chosen)) {
    if (auto question =
            MakeQuestion(call.caller, origin, chosen.identity(), call.handshake_context)) {
      remembered_.Remember(*std::move(question), chosen.once_per, now_());
    }
  }
  co_return answer.choice;
}

asio::awaitable<absl::StatusOr<wire::Bytes>> Authentication::Sign(AuthenticationCall& call,
                                                                  const Origin& origin,
                                                                  const Admitted& chosen,
                                                                  wire::BytesView message,
                                                                  bool asked) {
  const KeyReference& key = chosen.identity().key;
  const wire::SignatureScheme scheme = chosen.candidate.scheme;
  const SignatureCheck check = CheckWith(FactsOf(chosen.identity())->public_key, scheme);
  absl::StatusOr<wire::Bytes> signature =
      co_await signer_.Sign(key, scheme, message, check, call.deadline);
  if (asked || !absl::IsFailedPrecondition(signature.status())) co_return signature;
  co_await call.process->Describe(call.caller);
  Prompt prompt{call.caller,
                origin,
                TrustsOrigin(chosen, call.caller),
                {{chosen.identity(), false, true, chosen.once_per}},
                call.deadline};
  const Answer answer = co_await prompter_.Ask(std::move(prompt), {});
  if (answer.kind != Answer::Kind::kChosen || WhatChanged(*call.process)) co_return signature;
  co_return co_await signer_.Sign(key, scheme, message, check, call.deadline);
}

asio::awaitable<Outcome> Authentication::Forward(const AuthenticationCall& call,
                                                 const Identity& identity,
                                                 const wire::CertificateRequest& request,
                                                 wire::BytesView certificate,
                                                 wire::BytesView message) {
  const std::string from = absl::StrCat("agent \"", identity.key.backend, "\"");
  Outcome outcome = co_await upstream_->Authenticate(call, identity.key);
  if (auto* declined = std::get_if<Declined>(&outcome)) {
    declined->detail.insert(0, absl::StrCat(from, " declines: "));
    co_return outcome;
  }
  Authenticated& answer = std::get<Authenticated>(outcome);
  const std::shared_ptr<const ChainFacts> facts = FactsOf(identity);
  if (const auto wrong = WhatIsWrong(answer, request, certificate, *facts->public_key, message)) {
    co_return Declined{
        DeclineReason::kTokenFailed,
        absl::StrCat(from, ": ", *wrong, ", which was not let out; see signet status")};
  }
  answer.identity = identity.name;
  answer.kind = identity.kind;
  answer.subject = facts->summary.subject;
  co_return outcome;
}

asio::awaitable<Outcome> Authentication::Decide(AuthenticationCall& call, AuditRecord& record) {
  if (!MayAsk(call.caller)) {
    co_return TooOften("this program asks", policy_.limits().per_caller, "per_caller");
  }
  if (auto changed = WhatChanged(*call.process)) co_return *std::move(changed);
  // What the caller says: all of it is checked here, whatever the caller checked before.
  if (call.handshake_context.size() != wire::HashSize(call.hash)) {
    co_return Declined{DeclineReason::kMalformed,
                       absl::StrCat("the handshake context is not ", wire::HashSize(call.hash),
                                    " bytes long, as the connection's hash demands; export it with "
                                    "that length")};
  }
  const wire::Result<wire::CertificateRequest> request =
      wire::ParseCertificateRequest(call.request, forms_);
  if (!request.ok()) {
    co_return Declined{DeclineReason::kMalformed,
                       absl::StrCat("the server's certificate request: ", Why(request.error()))};
  }
  const absl::StatusOr<Origin> origin = ParseOrigin(call.origin);
  if (!origin.ok()) {
    co_return Declined{DeclineReason::kMalformed, std::string(origin.status().message())};
  }
  if (std::chrono::steady_clock::now() >= call.deadline) {
    co_return Declined{DeclineReason::kDeadline,
                       "the time for an answer is over before it began; allow more"};
  }
  if (absl::Status recording = audit_.CheckRecording(); !recording.ok()) {
    co_return Declined{DeclineReason::kDenied, std::string(recording.message())};
  }

  // Which identities satisfy the request; the snapshot stays ours until the end.
  const std::shared_ptr<const Identities> identities = identities_.snapshot();
  Selection selection = SelectIdentities(*identities, *request, now_());
  if (!call.identity.empty()) KeepOnly(call.identity, call.certificate, selection);
  if (selection.candidates.empty()) {
    co_return Declined{DeclineReason::kNoIdentity, selection.why_none};
  }

  // Which of them this caller may use at this origin.
  std::vector<Admitted> admitted;
  {
    // Borrows from the policy, which may change while we wait below.
    const ApplicableRules rules = policy_.RulesFor(call.caller, *origin);
    admitted = Admit(selection.candidates, rules);
    if (admitted.empty()) {
      const Identity& nearest = *selection.candidates.front().identity;
      record.identity = nearest.name;
      const Decision decision = rules.Decide(FactsForRules(nearest));
      if (decision.rule != nullptr) record.rule = decision.rule->Where();
      co_return Declined{DeclineReason::kDenied, decision.reason};
    }
  }

  // Which of those this connection may still have: one that takes no person, or all that do.
  // Another agent is asked for none while there is one of our own.
  std::vector<Admitted> choices;
  std::optional<Declined> limit;
  bool ask = true;
  for (const Admitted& one : admitted) {
    if (one.identity().upstream && !choices.empty() && !choices.front().identity().upstream) break;
    const ConnectionLedger::Admission admission =
        ledger_.Check(call.caller.uid, call.handshake_context, one.identity(), one.named);
    if (admission != ConnectionLedger::Admission::kAdmitted) {
      if (!limit) limit = LimitReached(admission, one.identity(), *origin);
    } else if (NeedsPerson(call, *origin, one)) {
      choices.push_back(one);
    } else {
      choices = {one};
      ask = false;
      break;
    }
  }
  if (choices.empty()) co_return *std::move(limit);
  SetChosen(choices.front(), record);

  size_t choice = 0;
  if (ask) {
    std::variant<size_t, Declined> answer = co_await Ask(call, *origin, choices);
    if (auto* declined = std::get_if<Declined>(&answer)) co_return std::move(*declined);
    choice = std::get<size_t>(answer);
  }
  const Admitted& chosen = choices[choice];
  const Identity& identity = chosen.identity();
  const wire::SignatureScheme scheme = chosen.candidate.scheme;
  SetChosen(chosen, record);

  // While a person thought, another request on this connection may have got it.
  const ConnectionLedger::Admission admission =
      ledger_.Reserve(call.caller.uid, call.handshake_context, identity, chosen.named);
  if (admission != ConnectionLedger::Admission::kAdmitted) {
    co_return LimitReached(admission, identity, *origin);
  }
  Reservation reservation(ledger_, call.caller.uid, call.handshake_context, identity);

  if (!signed_by_.Take(KeyName(identity.key), policy_.limits().per_key, now_())) {
    co_return TooOften(absl::StrCat("identity \"", identity.name, "\" is asked for"),
                       policy_.limits().per_key, "per_key");
  }

  // The agent builds what is signed; no caller ever names the bytes.
  const std::shared_ptr<const ChainFacts> facts = FactsOf(identity);
  wire::Result<wire::Bytes> certificate =
      wire::BuildCertificate(request->context, WithoutAnchor(identity.chain, *facts));
  if (!certificate.ok()) {
    co_return Declined{DeclineReason::kNoIdentity,
                       absl::StrCat("identity \"", identity.name, "\": build Certificate: ",
                                    Why(certificate.error()), "; import a shorter chain")};
  }
  const wire::Bytes message = wire::SignedContent(HashTranscript(call, *certificate));
  if (identity.upstream) {
    // Which may have switched to another since it was asked.
    call.certificate = facts->summary.sha256;
    Outcome outcome = co_await Forward(call, identity, *request, *certificate, message);
    if (std::holds_alternative<Authenticated>(outcome)) reservation.Keep();
    co_return outcome;
  }
  const absl::StatusOr<wire::Bytes> signature = co_await Sign(call, *origin, chosen, message, ask);
  if (!signature.ok()) co_return TokenRefused(identity, signature.status());
  wire::Result<wire::Bytes> certificate_verify = wire::BuildCertificateVerify(scheme, *signature);
  if (!certificate_verify.ok()) {
    co_return TokenRefused(identity, absl::DataLossError("the token's signature is too long"));
  }
  reservation.Keep();
  co_return Authenticated{*std::move(certificate), *std::move(certificate_verify), identity.name,
                          identity.kind, facts->summary.subject};
}

}  // namespace signet::agent
