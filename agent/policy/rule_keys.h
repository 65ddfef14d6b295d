// The keys of [[rule]] whose values are text: one table for what reads, writes and shows rules, so
// that none of them can forget one.
#ifndef SIGNET_AGENT_POLICY_RULE_KEYS_H_
#define SIGNET_AGENT_POLICY_RULE_KEYS_H_

#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "agent/policy/rule.h"

namespace signet::agent {

struct RuleKey {
  const char* name;
  // kInvalidArgument says what is wrong with the text and what to write instead; then the rule is
  // as it was. The text isn't empty.
  absl::Status (*set)(const std::string& text, Rule& rule);
  std::string (*get)(const Rule& rule);  // empty = any, or the default
};
std::span<const RuleKey> RuleKeys();

// "connection", "session", "8h"; empty for once per request.
std::string ToText(const OncePer& once_per);

// What no single key can tell: kInvalidArgument about the key that `key` is set to.
absl::Status CheckRule(const Rule& rule, std::string& key);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_POLICY_RULE_KEYS_H_
