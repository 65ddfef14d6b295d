// Decides allow, deny or ask. Later rules win over earlier ones; no rule is a deny.
#ifndef SIGNET_AGENT_POLICY_POLICY_H_
#define SIGNET_AGENT_POLICY_POLICY_H_

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/policy/caller.h"
#include "agent/policy/configuration.h"
#include "agent/policy/origin.h"
#include "agent/policy/rule.h"

namespace signet::agent {

struct Decision {
  Verdict verdict = Verdict::kDeny;
  const Rule* rule = nullptr;  // that decided; nullptr: none matched. Valid until the next change
  bool named = false;          // the rule names the identity, not `*`
  std::string reason;          // for a person; for no rule, the command that would allow
};

// The rules that apply to one caller at one origin, so that many identities are decided without
// going through all rules again. Borrows the rules: valid until the policy's next change.
class ApplicableRules {
 public:
  explicit ApplicableRules(Origin origin);
  // In order: a later rule wins.
  void Add(const Rule& rule);
  // The rule that decides; nullptr when none matches. Cheap; Decide() also says why.
  const Rule* RuleFor(const std::string& identity) const;
  Decision Decide(const std::string& identity) const;

 private:
  Origin origin_;
  std::unordered_map<std::string_view, const Rule*> named_;  // later than any_
  const Rule* any_ = nullptr;                                // the last one for `*`
};

// Loop thread only. The program of a rule is compared by device and inode with what the rule's path
// is now; an unknown executable matches only rules without a program.
class Policy {
 public:
  // Rules of the configuration first, then those that `signet policy` wrote to
  // <state>/policy.toml.
  Policy(Access access, std::vector<Rule> configured, std::vector<Rule> added);

  // Both of a new configuration; the added rules stay.
  void Configure(Access access, std::vector<Rule> configured);

  bool MayUse(const Caller& caller) const;
  bool MayAdminister(const Caller& caller) const;

  // Looks up the programs of rules, so touches the file system (stat).
  ApplicableRules RulesFor(const Caller& caller, const Origin& origin) const;
  Decision Decide(const Caller& caller, const Origin& origin, const std::string& identity) const;

  // Does any rule admit (allow or ask) this identity for this caller, at whatever origin? A rule
  // whose origins a later deny covers admits nothing.
  bool Lists(const Caller& caller, const std::string& identity) const;

  std::vector<Rule> rules() const;  // in order
  const std::vector<Rule>& added() const { return added_; }
  void ReplaceAdded(std::vector<Rule> added);

 private:
  Access access_;
  std::vector<Rule> configured_;
  std::vector<Rule> added_;
};

// <state>/policy.toml; both block on the file system. A missing file is no rules.
absl::StatusOr<std::vector<Rule>> LoadAddedRules(const std::filesystem::path& state_dir);
// Refuses (kInvalidArgument) what LoadAddedRules would.
absl::Status SaveAddedRules(const std::filesystem::path& state_dir, const std::vector<Rule>& rules);

// `rules` with `rule` appended; one of equal origin, identity and program goes away.
std::vector<Rule> WithRule(std::vector<Rule> rules, Rule rule);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_POLICY_POLICY_H_
