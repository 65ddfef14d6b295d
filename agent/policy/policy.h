// Decides allow, deny or ask. Later rules win over earlier ones; no rule is a deny.
#ifndef SIGNET_AGENT_POLICY_POLICY_H_
#define SIGNET_AGENT_POLICY_POLICY_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
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

// Loop thread only. The program of a rule is compared by device and inode with what the rule's path
// is now; an unknown executable matches only rules without a program.
class Policy {
 public:
  // Rules of the configuration first, then those that `signet policy` wrote to
  // <state>/policy.toml.
  Policy(Access access, std::vector<Rule> configured, std::vector<Rule> added);

  bool MayUse(const Caller& caller) const;
  bool MayAdminister(const Caller& caller) const;

  Decision Decide(const Caller& caller, const Origin& origin, const std::string& identity) const;

  // Does any rule admit (allow or ask) this identity for this caller, at whatever origin?
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
absl::Status SaveAddedRules(const std::filesystem::path& state_dir, const std::vector<Rule>& rules);

// `rules` with `rule` appended; one of equal origin, identity and program goes away.
std::vector<Rule> WithRule(std::vector<Rule> rules, Rule rule);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_POLICY_POLICY_H_
