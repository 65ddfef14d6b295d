#include "agent/front/admin_calls.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/front/messages.h"
#include "agent/front/readiness.h"
#include "agent/policy/rule_keys.h"

namespace signet::agent {
namespace {

Deadline AdminDeadline() { return std::chrono::steady_clock::now() + AdminCalls::kPatience; }

// From here on the client's going away stops nothing.
auto FinishWhole() {
  return asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
}

const Identity* Find(const Identities& identities, const std::string& name) {
  const auto found = std::find_if(identities.begin(), identities.end(),
                                  [&](const Identity& identity) { return identity.name == name; });
  return found == identities.end() ? nullptr : &*found;
}

std::string Names(const Identities& identities) {
  if (identities.empty()) return "there are none; make one with: signet identity create";
  return absl::StrCat("there are: ", absl::StrJoin(identities, ", ",
                                                   [](std::string* out, const Identity& identity) {
                                                     out->append(identity.name);
                                                   }));
}

// Blocks on the file system.
absl::Status CheckProgram(const std::string& program) {
  if (program.empty()) return absl::OkStatus();
  const std::filesystem::path path = program;
  std::error_code error;
  if (path.is_absolute() && std::filesystem::is_regular_file(path, error)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("rule: program: \"", program, "\" is ",
                   path.is_absolute() ? "no file that the agent can see" : "no absolute path",
                   "; write the full path of an installed program"));
}

// Blocks on the file system. Reads the file again, so that one AddRule after the other on the file
// worker never loses a rule.
absl::StatusOr<std::vector<Rule>> AppendRuleSlowly(const std::filesystem::path& state_dir,
                                                   const Rule& rule) {
  if (absl::Status program = CheckProgram(rule.program); !program.ok()) return program;
  absl::StatusOr<std::vector<Rule>> rules = LoadAddedRules(state_dir);
  if (!rules.ok()) return rules;
  rules = WithRule(*std::move(rules), rule);
  if (absl::Status saved = SaveAddedRules(state_dir, *rules); !saved.ok()) return saved;
  return LoadAddedRules(state_dir);  // on lines of their own now
}

// What a rule would say with this text under the key.
absl::StatusOr<Rule> ReadKey(std::string_view name, const std::string& text) {
  Rule rule;
  for (const RuleKey& key : RuleKeys()) {
    if (key.name != name || text.empty()) continue;
    if (absl::Status set = key.set(text, rule); !set.ok()) return set;
  }
  return rule;
}

constexpr char kNoOrigin[] =
    " (origin does not apply: within a TLS handshake, or for a request, the agent knows none)";

// Why no rule lets an identity of this kind serve the purpose; empty when one could.
std::string WhyNotOfItsKind(const Identity& identity, Purpose purpose) {
  if ((purpose == Purpose::kServer) == (identity.kind == IdentityKind::kServer)) return {};
  return absl::StrCat("identity \"", identity.name, "\" is of kind ",
                      std::string(Name(identity.kind)), ", and ",
                      purpose == Purpose::kServer ? "only those of kind server serve"
                                                  : "those of kind server serve nothing but",
                      " purpose server, whatever the rules say");
}

absl::StatusOr<Use> ToUse(const v1::ExplainRequest& request) {
  const absl::StatusOr<Rule> rule = ReadKey("purpose", request.purpose());
  if (!rule.ok()) return rule.status();
  if (rule->purpose != Purpose::kExportedAuthenticator) return Use(rule->purpose);
  const absl::StatusOr<Origin> origin = ParseOrigin(request.origin());
  if (!origin.ok()) return origin.status();
  return Use(*origin);
}

// Who would ask: the program need not run. What the request leaves open is known, and what no rule
// names.
absl::StatusOr<Caller> ToCaller(const v1::ExplainRequest& request) {
  Caller caller;
  caller.executable.emplace();  // no file is that
  caller.unit = request.unit().empty() ? "(another unit)" : request.unit();
  caller.user_unit = request.user_unit();
  caller.sandbox = request.sandbox();
  if (!request.session().empty()) {
    const absl::StatusOr<Rule> rule = ReadKey("session", request.session());  // words of rules
    if (!rule.ok()) return rule.status();
    caller.login_session.type = *rule->session;
  }
  if (request.program().empty()) return caller;
  struct stat file {};
  if (request.program().front() != '/' || stat(request.program().c_str(), &file) != 0 ||
      !S_ISREG(file.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat("policy: explain: program \"", request.program(),
                     "\": no such file; give the full path of a program"));
  }
  caller.executable = Executable{file.st_dev, file.st_ino, request.program()};
  return caller;
}

// Then a backend that does not answer is ended; a person who locks everything may be leaving.
constexpr std::chrono::seconds kLockAllPatience{3};

}  // namespace

AdminCalls::AdminCalls(AgentFacts facts, Enrolment& enrolment, const IdentityStore& identities,
                       Policy& policy, RememberedAnswers& remembered, Tokens& tokens,
                       asio::thread_pool& file_worker)
    : facts_(std::move(facts)),
      enrolment_(enrolment),
      identities_(identities),
      policy_(policy),
      remembered_(remembered),
      tokens_(tokens),
      file_worker_(file_worker) {}

v1::Identity AdminCalls::Describe(const Identity& identity) const {
  v1::Identity message = ToMessage(
      identity, WhyNotReady(identity, tokens_.Statuses(), std::chrono::system_clock::now()));
  AddOtherCertificates(identity, message);
  return message;
}

absl::Status AdminCalls::CheckOurs(const std::string& identity) const {
  const std::shared_ptr<const Identities> identities = identities_.snapshot();
  const Identity* found = Find(*identities, identity);
  if (found == nullptr || !found->upstream) return absl::OkStatus();
  const absl::Status ours = tokens_.CheckOurs(found->key.backend);
  if (ours.ok()) return ours;
  return absl::Status(ours.code(), absl::StrCat("identity \"", identity, "\": ", ours.message()));
}

AdminCalls::Result AdminCalls::Status(const v1::StatusRequest&, v1::StatusResponse& response) {
  response.set_version(facts_.version);
  response.set_pid(getpid());
  response.set_config_file(PlainText(facts_.config_file.native()));
  response.set_runtime_dir(PlainText(facts_.runtime_dir.native()));
  response.set_state_dir(PlainText(facts_.state_dir.native()));
  response.set_identities(static_cast<uint32_t>(identities_.snapshot()->size()));
  response.set_rules(static_cast<uint32_t>(policy_.rules().size()));
  for (const BackendStatus& status : tokens_.Statuses()) {
    *response.add_backends() = ToMessage(status);
  }
  co_return absl::OkStatus();
}

AdminCalls::Result AdminCalls::LockToken(const v1::LockTokenRequest& request,
                                         v1::LockTokenResponse&) {
  if (request.all() && !request.backend().empty()) {
    co_return absl::InvalidArgumentError(
        "lock: one backend and all of them were named; name one, or say all");
  }
  if (!request.all()) co_return co_await tokens_.Lock(request.backend(), AdminDeadline());
  co_await tokens_.LockAll(std::chrono::steady_clock::now() + kLockAllPatience);
  co_return absl::OkStatus();
}

AdminCalls::Result AdminCalls::ListIdentities(const v1::AdminListIdentitiesRequest&,
                                              v1::ListIdentitiesResponse& response) {
  const std::shared_ptr<const Identities> identities = identities_.snapshot();
  for (const Identity& identity : *identities) *response.add_identities() = Describe(identity);
  co_return absl::OkStatus();
}

AdminCalls::Result AdminCalls::ShowIdentity(const v1::ShowIdentityRequest& request,
                                            v1::ShowIdentityResponse& response) {
  const std::shared_ptr<const Identities> identities = identities_.snapshot();
  const Identity* identity = Find(*identities, request.name());
  if (identity == nullptr) {
    co_return absl::NotFoundError(absl::StrCat("identity: show \"", request.name(),
                                               "\": no such identity; ", Names(*identities)));
  }
  response = ToShownMessage(
      *identity, WhyNotReady(*identity, tokens_.Statuses(), std::chrono::system_clock::now()));
  co_return absl::OkStatus();
}

AdminCalls::Result AdminCalls::CreateIdentity(const v1::CreateIdentityRequest& request,
                                              v1::CreateIdentityResponse& response) {
  const std::optional<IdentityKind> kind = FromMessage(request.kind());
  if (!kind) {
    co_return absl::InvalidArgumentError(absl::StrCat(
        "identity: create \"", request.name(), "\": no kind given; say device, user or server"));
  }
  if (absl::Status ours = tokens_.CheckOurs(request.backend()); !ours.ok()) co_return ours;
  co_await FinishWhole();
  absl::StatusOr<Identity> identity = co_await enrolment_.Create(
      request.name(), request.backend(), *kind, request.algorithm(), AdminDeadline());
  if (!identity.ok()) co_return identity.status();
  *response.mutable_identity() = Describe(*identity);
  co_return absl::OkStatus();
}

AdminCalls::Result AdminCalls::CreateCsr(const v1::CreateCsrRequest& request,
                                         v1::CreateCsrResponse& response) {
  if (absl::Status ours = CheckOurs(request.name()); !ours.ok()) co_return ours;
  std::vector<std::string> names(request.subject_alt_names().begin(),
                                 request.subject_alt_names().end());
  absl::StatusOr<std::string> csr = co_await enrolment_.CreateCsr(
      request.name(), request.subject(), std::move(names), AdminDeadline());
  if (!csr.ok()) co_return csr.status();
  response.set_csr_pem(*std::move(csr));
  co_return absl::OkStatus();
}

AdminCalls::Result AdminCalls::ImportChain(const v1::ImportChainRequest& request,
                                           v1::ImportChainResponse& response) {
  if (absl::Status ours = CheckOurs(request.name()); !ours.ok()) co_return ours;
  co_await FinishWhole();
  absl::StatusOr<Identity> identity =
      co_await enrolment_.Import(request.name(), request.chain_pem(), request.next());
  if (!identity.ok()) co_return identity.status();
  *response.mutable_identity() = Describe(*identity);
  co_return absl::OkStatus();
}

AdminCalls::Result AdminCalls::SwitchCertificate(const v1::SwitchCertificateRequest& request,
                                                 v1::SwitchCertificateResponse& response) {
  if (absl::Status ours = CheckOurs(request.name()); !ours.ok()) co_return ours;
  co_await FinishWhole();
  absl::StatusOr<Identity> identity = co_await enrolment_.Switch(request.name(), request.back());
  if (!identity.ok()) co_return identity.status();
  *response.mutable_identity() = Describe(*identity);
  co_return absl::OkStatus();
}

AdminCalls::Result AdminCalls::RetireCertificate(const v1::RetireCertificateRequest& request,
                                                 v1::RetireCertificateResponse& response) {
  if (absl::Status ours = CheckOurs(request.name()); !ours.ok()) co_return ours;
  co_await FinishWhole();
  absl::StatusOr<Identity> identity = co_await enrolment_.Retire(request.name());
  if (!identity.ok()) co_return identity.status();
  *response.mutable_identity() = Describe(*identity);
  co_return absl::OkStatus();
}

AdminCalls::Result AdminCalls::RemoveIdentity(const v1::RemoveIdentityRequest& request,
                                              v1::RemoveIdentityResponse&) {
  if (absl::Status ours = CheckOurs(request.name()); !ours.ok()) co_return ours;
  co_await FinishWhole();
  co_return co_await enrolment_.Remove(request.name(), request.forget(), AdminDeadline());
}

AdminCalls::Result AdminCalls::ListRules(const v1::ListRulesRequest&,
                                         v1::ListRulesResponse& response) {
  for (const Rule& rule : policy_.rules()) *response.add_rules() = ToMessage(rule);
  co_return absl::OkStatus();
}

// The same as for a request.
AdminCalls::Result AdminCalls::Explain(const v1::ExplainRequest& request,
                                       v1::ExplainResponse& response) {
  const absl::StatusOr<Use> use = ToUse(request);
  if (!use.ok()) co_return use.status();
  const absl::StatusOr<Caller> caller = ToCaller(request);
  if (!caller.ok()) co_return caller.status();
  if (use->has_origin()) response.set_origin(PlainText(use->origin.ToString()));
  const ApplicableRules rules = policy_.RulesFor(*caller, *use);
  const auto explain = [&](const IdentityFacts& identity, const std::string& but) {
    const Decision decision = rules.Decide(identity);
    v1::Explanation& explanation = *response.add_explanations();
    explanation.set_identity(PlainText(identity.name));
    explanation.set_decision(std::string(Name(decision.verdict)));
    explanation.set_reason(PlainText(absl::StrCat(decision.reason, but.empty() ? "" : "; but ", but,
                                                  use->has_origin() ? "" : kNoOrigin)));
    if (decision.rule != nullptr) *explanation.mutable_rule() = ToMessage(*decision.rule);
    if (!request.verbose()) return;
    for (const Considered& considered : policy_.Consider(*caller, *use, identity)) {
      v1::ConsideredRule& message = *explanation.add_considered();
      *message.mutable_rule() = ToMessage(*considered.rule);
      message.set_decides(considered.decides);
      message.set_why(PlainText(considered.why));
    }
  };
  const std::shared_ptr<const Identities> identities = identities_.snapshot();
  if (request.identity().empty()) {
    for (const Identity& identity : *identities) {
      explain(FactsForRules(identity), WhyNotOfItsKind(identity, use->purpose));
    }
  } else if (const Identity* identity = Find(*identities, request.identity())) {
    explain(FactsForRules(*identity), WhyNotOfItsKind(*identity, use->purpose));
  } else {
    explain({request.identity()}, "");
  }
  co_return absl::OkStatus();
}

// A rule may come before its identity, and outlive it; a slip of the pen is worth a word all the
// same.
std::string AdminCalls::NoteOn(const Rule& rule) const {
  const std::shared_ptr<const Identities> identities = identities_.snapshot();
  if (!rule.names_identity()) return {};
  if (const Identity* identity = Find(*identities, rule.identity)) {
    return rule.decision == Verdict::kDeny ? "" : WhyNotOfItsKind(*identity, rule.purpose);
  }
  return absl::StrCat("identity \"", rule.identity, "\" does not exist yet; ", Names(*identities));
}

AdminCalls::Result AdminCalls::AddRule(const v1::AddRuleRequest& request,
                                       v1::AddRuleResponse& response) {
  absl::StatusOr<Rule> rule = FromMessage(request.rule());
  if (!rule.ok()) co_return rule.status();
  rule->source = facts_.state_dir / "policy.toml";
  co_await FinishWhole();
  auto append = [](std::filesystem::path state_dir,
                   Rule added) -> asio::awaitable<absl::StatusOr<std::vector<Rule>>> {
    co_return AppendRuleSlowly(state_dir, added);
  };
  absl::StatusOr<std::vector<Rule>> rules =
      co_await asio::co_spawn(file_worker_, append(facts_.state_dir, *rule), asio::use_awaitable);
  if (!rules.ok()) co_return rules.status();
  policy_.ReplaceAdded(*std::move(rules));
  *response.mutable_rule() = ToMessage(*rule);
  response.set_note(NoteOn(*rule));
  co_return absl::OkStatus();
}

AdminCalls::Result AdminCalls::ListRemembered(const v1::ListRememberedRequest&,
                                              v1::ListRememberedResponse& response) {
  for (const RememberedAnswer& answer : remembered_.List(std::chrono::system_clock::now())) {
    *response.add_answers() = ToMessage(answer);
  }
  co_return absl::OkStatus();
}

AdminCalls::Result AdminCalls::ForgetRemembered(const v1::ForgetRememberedRequest& request,
                                                v1::ForgetRememberedResponse&) {
  if (remembered_.Forget(request.id())) co_return absl::OkStatus();
  co_return absl::NotFoundError(absl::StrCat("policy: forget ", request.id(),
                                             ": no such answer; see signet policy remembered "
                                             "list"));
}

}  // namespace signet::agent
