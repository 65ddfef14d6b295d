#include "agent/policy/policy.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace signet::agent {
namespace {

bool Contains(const std::vector<uid_t>& uids, uid_t uid) {
  return std::find(uids.begin(), uids.end(), uid) != uids.end();
}

// A word as a shell reads it back.
std::string ShellWord(absl::string_view word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return absl::ascii_isalnum(c) ||
           absl::string_view("-_.:/@%+,").find(c) != absl::string_view::npos;
  });
  if (plain) return std::string(word);
  return absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
}

std::string HowToAllow(const Use& use, absl::string_view identity) {
  const std::string what = use.has_origin()
                               ? ShellWord(use.origin.ToString())
                               : absl::StrCat("--purpose ", std::string(Name(use.purpose)));
  return absl::StrCat("signet policy allow ", what, " --identity ", ShellWord(identity));
}

std::string WhyNoRule(const Use& use, absl::string_view identity) {
  return absl::StrCat("no rule allows identity \"", identity, "\" ", use.ToString(),
                      "; to allow: ", HowToAllow(use, identity));
}

std::string WhyRule(const Rule& rule, const Use& use, absl::string_view identity) {
  const std::string what =
      use.has_origin() ? rule.origin.ToString() : std::string(Name(rule.purpose));
  const std::string which = absl::StrCat("the rule for ", what, " in ", rule.Where());
  const std::string about = absl::StrCat(" identity \"", identity, "\" ", use.ToString());
  switch (rule.decision) {
    case Verdict::kAllow:
      return absl::StrCat(which, " allows", about);
    case Verdict::kAsk:
      return absl::StrCat(which, " asks a person before using", about);
    case Verdict::kDeny:
      break;
  }
  if (rule.final) {
    return absl::StrCat(which, " denies", about,
                        "; it is final, so only a change of that file can allow it");
  }
  return absl::StrCat(which, " denies", about,
                      "; a later rule can allow it: ", HowToAllow(use, identity));
}

}  // namespace

ApplicableRules::ApplicableRules(Use use) : use_(std::move(use)) {}

void ApplicableRules::Add(const Rule& rule, Match match) {
  if (match == Match::kNo) return;
  const Entry entry{&rule, size_++, match};
  if (rule.final) final_.push_back(entry);
  if (rule.names_identity()) {
    named_[rule.identity].push_back(entry);
    return;
  }
  if (match == Match::kYes && MatchesIdentity(rule, {}) == Match::kYes) {
    // Whatever the identity: it wins over all before it.
    named_.clear();
    any_.clear();
  }
  any_.push_back(entry);
}

const Rule* ApplicableRules::RuleFor(const IdentityFacts& identity) const {
  const Rule* decides = nullptr;
  const auto consider = [&](const Entry& entry) {
    const Match match = std::min(entry.match, MatchesIdentity(*entry.rule, identity));
    // Without a rule it is a deny, and nothing is stricter.
    const bool tightens = decides != nullptr && IsStricter(*entry.rule, *decides);
    if (match == Match::kYes || (match == Match::kUnknown && tightens)) decides = entry.rule;
  };
  static const std::vector<Entry> kNone;
  const auto found = named_.find(identity.name);
  const std::vector<Entry>& named = found != named_.end() ? found->second : kNone;
  auto next = named.begin();
  for (const Entry& entry : any_) {
    for (; next != named.end() && next->position < entry.position; ++next) consider(*next);
    consider(entry);
  }
  for (; next != named.end(); ++next) consider(*next);
  if (decides == nullptr) return nullptr;
  for (const Entry& entry : final_) {
    if (IsStricter(*entry.rule, *decides) && MatchesIdentity(*entry.rule, identity) != Match::kNo) {
      decides = entry.rule;
    }
  }
  return decides;
}

Decision ApplicableRules::Decide(const IdentityFacts& identity) const {
  const Rule* rule = RuleFor(identity);
  const absl::string_view name(identity.name.data(), identity.name.size());
  if (rule == nullptr) return {Verdict::kDeny, nullptr, false, WhyNoRule(use_, name)};
  return {rule->decision, rule, rule->names_identity(), WhyRule(*rule, use_, name)};
}

Policy::Policy(Access access, std::vector<Rule> configured, std::vector<Rule> added,
               AgentKind agent)
    : access_(std::move(access)),
      configured_(std::move(configured)),
      added_(std::move(added)),
      agent_(agent) {}

void Policy::Configure(Access access, std::vector<Rule> configured, RateLimits limits) {
  access_ = std::move(access);
  configured_ = std::move(configured);
  limits_ = limits;
}

bool Policy::MayUse(const Caller& caller) const { return Contains(access_.use, caller.uid); }

bool Policy::MayAdminister(const Caller& caller) const {
  return Contains(access_.admin, caller.uid);
}

ApplicableRules Policy::RulesFor(const Caller& caller, const Use& use) const {
  ApplicableRules applicable(use);
  const Asking asking(caller, agent_);
  for (const std::vector<Rule>* rules : {&configured_, &added_}) {
    for (const Rule& rule : *rules) {
      if (MatchesUse(rule, use)) applicable.Add(rule, MatchesCaller(rule, asking));
    }
  }
  return applicable;
}

Decision Policy::Decide(const Caller& caller, const Use& use, const IdentityFacts& identity) const {
  return RulesFor(caller, use).Decide(identity);
}

std::vector<Considered> Policy::Consider(const Caller& caller, const Use& use,
                                         const IdentityFacts& identity) const {
  const Rule* decides = RulesFor(caller, use).RuleFor(identity);
  const Asking asking(caller, agent_);
  std::vector<Considered> all;
  for (const std::vector<Rule>* rules : {&configured_, &added_}) {
    for (const Rule& rule : *rules) {
      std::string why = WhyNot(rule, asking, use, identity);
      if (&rule == decides) {
        why = why.empty() ? "decides" : absl::StrCat("decides: ", why, ", and it is stricter");
      } else if (why.empty()) {
        why = absl::StrCat("matches, but ", decides->Where(),
                           decides->final ? " is final and stricter" : " comes later");
      }
      all.push_back({&rule, &rule == decides, std::move(why)});
    }
  }
  return all;
}

bool Policy::Lists(const Caller& caller, const IdentityFacts& identity) const {
  for (const Purpose purpose : kWithoutOrigin) {
    const Rule* rule = RulesFor(caller, Use(purpose)).RuleFor(identity);
    if (rule != nullptr && rule->decision != Verdict::kDeny) return true;
  }
  return ListsAtSomeOrigin(caller, identity);
}

bool Policy::ListsAtSomeOrigin(const Caller& caller, const IdentityFacts& identity) const {
  const Asking asking(caller, agent_);
  const auto match = [&](const Rule& rule) {
    if (rule.purpose != Purpose::kExportedAuthenticator) return Match::kNo;
    const Match of_identity = MatchesIdentity(rule, identity);
    if (of_identity == Match::kNo) return of_identity;
    return std::min(of_identity, MatchesCaller(rule, asking));
  };
  std::vector<const OriginPattern*> denied;
  for (const std::vector<Rule>* rules : {&added_, &configured_}) {
    for (const Rule& rule : *rules) {
      if (!rule.final || rule.decision != Verdict::kDeny) continue;
      if (match(rule) != Match::kNo) denied.push_back(&rule.origin);
    }
  }
  // From the last rule backwards: an admitting one counts unless a later deny covers its origins.
  for (const std::vector<Rule>* rules : {&added_, &configured_}) {
    for (auto rule = rules->rbegin(); rule != rules->rend(); ++rule) {
      const Match matches = match(*rule);
      if (rule->decision == Verdict::kDeny) {
        if (matches != Match::kNo) denied.push_back(&rule->origin);
      } else if (matches == Match::kYes &&
                 std::none_of(denied.begin(), denied.end(), [&](const OriginPattern* other) {
                   return other->Covers(rule->origin);
                 })) {
        return true;
      }
    }
  }
  return false;
}

std::vector<Rule> Policy::rules() const {
  std::vector<Rule> all = configured_;
  all.insert(all.end(), added_.begin(), added_.end());
  return all;
}

void Policy::ReplaceAdded(std::vector<Rule> added) { added_ = std::move(added); }

}  // namespace signet::agent
