#include "agent/policy/policy.h"

#include <sys/stat.h>

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

// Names the file that the path leads to now, so that a package update needs no new rule.
bool MatchesProgram(const Rule& rule, const Caller& caller) {
  if (rule.program.empty()) return true;
  if (!caller.executable) return false;
  struct stat status {};
  return stat(rule.program.c_str(), &status) == 0 && status.st_dev == caller.executable->device &&
         status.st_ino == caller.executable->inode;
}

bool MatchesIdentity(const Rule& rule, const std::string& identity) {
  return !rule.names_identity() || rule.identity == identity;
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

std::string WhyNoRule(const Origin& origin, absl::string_view identity) {
  return absl::StrCat("no rule allows identity \"", identity, "\" at ", origin.ToString(),
                      "; to allow: signet policy allow ", ShellWord(origin.ToString()),
                      " --identity ", ShellWord(identity));
}

std::string WhyRule(const Rule& rule, const Origin& origin, absl::string_view identity) {
  const std::string which =
      absl::StrCat("the rule for ", rule.origin.ToString(), " in ", rule.Where());
  const std::string about = absl::StrCat(" identity \"", identity, "\" at ", origin.ToString());
  switch (rule.decision) {
    case Verdict::kAllow:
      return absl::StrCat(which, " allows", about);
    case Verdict::kAsk:
      return absl::StrCat(which, " asks a person before using", about);
    case Verdict::kDeny:
      break;
  }
  return absl::StrCat(which, " denies", about, "; a later rule can allow it: signet policy allow ",
                      ShellWord(origin.ToString()), " --identity ", ShellWord(identity));
}

}  // namespace

ApplicableRules::ApplicableRules(Origin origin) : origin_(std::move(origin)) {}

void ApplicableRules::Add(const Rule& rule) {
  if (rule.names_identity()) {
    named_[rule.identity] = &rule;
  } else {
    named_.clear();
    any_ = &rule;
  }
}

const Rule* ApplicableRules::RuleFor(const std::string& identity) const {
  const auto named = named_.find(identity);
  return named != named_.end() ? named->second : any_;
}

Decision ApplicableRules::Decide(const std::string& identity) const {
  const Rule* rule = RuleFor(identity);
  if (rule == nullptr) return {Verdict::kDeny, nullptr, false, WhyNoRule(origin_, identity)};
  return {rule->decision, rule, rule->names_identity(), WhyRule(*rule, origin_, identity)};
}

Policy::Policy(Access access, std::vector<Rule> configured, std::vector<Rule> added)
    : access_(std::move(access)), configured_(std::move(configured)), added_(std::move(added)) {}

void Policy::Configure(Access access, std::vector<Rule> configured) {
  access_ = std::move(access);
  configured_ = std::move(configured);
}

bool Policy::MayUse(const Caller& caller) const { return Contains(access_.use, caller.uid); }

bool Policy::MayAdminister(const Caller& caller) const {
  return Contains(access_.admin, caller.uid);
}

ApplicableRules Policy::RulesFor(const Caller& caller, const Origin& origin) const {
  ApplicableRules applicable(origin);
  for (const std::vector<Rule>* rules : {&configured_, &added_}) {
    for (const Rule& rule : *rules) {
      if (rule.origin.Matches(origin) && MatchesProgram(rule, caller)) applicable.Add(rule);
    }
  }
  return applicable;
}

Decision Policy::Decide(const Caller& caller, const Origin& origin,
                        const std::string& identity) const {
  return RulesFor(caller, origin).Decide(identity);
}

bool Policy::Lists(const Caller& caller, const std::string& identity) const {
  // From the last rule backwards: an admitting one counts unless a later deny covers its origins.
  std::vector<const OriginPattern*> denied;
  for (const std::vector<Rule>* rules : {&added_, &configured_}) {
    for (auto rule = rules->rbegin(); rule != rules->rend(); ++rule) {
      if (!MatchesIdentity(*rule, identity) || !MatchesProgram(*rule, caller)) continue;
      if (rule->decision == Verdict::kDeny) {
        denied.push_back(&rule->origin);
      } else if (std::none_of(denied.begin(), denied.end(), [&](const OriginPattern* later) {
                   return later->Covers(rule->origin);
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
