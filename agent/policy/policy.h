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
#include "agent/policy/matching.h"
#include "agent/policy/purpose.h"
#include "agent/policy/rate_limits.h"
#include "agent/policy/rule.h"

namespace signet::agent {

struct Decision {
  Verdict verdict = Verdict::kDeny;
  const Rule* rule = nullptr;  // that decided; nullptr: none matched. Valid until the next change
  bool named = false;          // the rule names the identity, not `*`
  std::string reason;          // for a person; for no rule, the command that would allow
};

// A rule, and what became of it for one request.
struct Considered {
  const Rule* rule;  // valid until the policy's next change
  bool decides;
  std::string why;  // for a person
};

// The rules that apply to one caller and one use, so that many identities are decided without
// going through all rules again. Borrows the rules: valid until the policy's next change.
class ApplicableRules {
 public:
  explicit ApplicableRules(Use use);
  // In order: a later rule wins. `match` is that of caller and use; kNo adds nothing.
  void Add(const Rule& rule, Match match);
  // The rule that decides; nullptr when none matches. Cheap; Decide() also says why.
  const Rule* RuleFor(const IdentityFacts& identity) const;
  Decision Decide(const IdentityFacts& identity) const;

 private:
  struct Entry {
    const Rule* rule;
    size_t position;
    Match match;
  };
  // Those for `*` and those that name an identity, each in order.
  std::vector<Entry> any_;
  std::unordered_map<std::string_view, std::vector<Entry>> named_;
  std::vector<Entry> final_;  // also among those
  size_t size_ = 0;
  Use use_;
};

// Loop thread only. The program of a rule is compared by device and inode with what the rule's path
// is now.
//
// Rules count in order, a later one wins; two things go beyond that:
// - A *final* rule that matches is a floor: rules before and after it may be stricter, none looser.
// - A rule of which a fact is unknown (see matching.h) counts only where it is stricter than what
//   the rules before it decided.
class Policy {
 public:
  // Rules of the configuration first, then those that `signet policy` wrote to
  // <state>/policy.toml.
  Policy(Access access, std::vector<Rule> configured, std::vector<Rule> added,
         AgentKind agent = KindOfThisAgent());

  // All of a new configuration; the added rules stay.
  void Configure(Access access, std::vector<Rule> configured, RateLimits limits = {});
  const RateLimits& limits() const { return limits_; }

  bool MayUse(const Caller& caller) const;
  bool MayAdminister(const Caller& caller) const;

  // Looks up the programs of rules, so touches the file system (stat, once per program).
  ApplicableRules RulesFor(const Caller& caller, const Use& use) const;
  Decision Decide(const Caller& caller, const Use& use, const IdentityFacts& identity) const;

  // Every rule, in order.
  std::vector<Considered> Consider(const Caller& caller, const Use& use,
                                   const IdentityFacts& identity) const;

  // Does any rule admit (allow or ask) this identity for this caller, for whatever use? A rule
  // whose origins a later or final deny covers admits nothing.
  bool Lists(const Caller& caller, const IdentityFacts& identity) const;

  std::vector<Rule> rules() const;  // in order
  const std::vector<Rule>& added() const { return added_; }
  void ReplaceAdded(std::vector<Rule> added);

 private:
  bool ListsAtSomeOrigin(const Caller& caller, const IdentityFacts& identity) const;

  Access access_;
  std::vector<Rule> configured_;
  std::vector<Rule> added_;
  AgentKind agent_;
  RateLimits limits_;
};

// <state>/policy.toml; both block on the file system. A missing file is no rules.
absl::StatusOr<std::vector<Rule>> LoadAddedRules(const std::filesystem::path& state_dir);
// Refuses (kInvalidArgument) what LoadAddedRules would.
absl::Status SaveAddedRules(const std::filesystem::path& state_dir, const std::vector<Rule>& rules);

// `rules` with `rule` appended; one of equal conditions goes away.
std::vector<Rule> WithRule(std::vector<Rule> rules, Rule rule);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_POLICY_POLICY_H_
