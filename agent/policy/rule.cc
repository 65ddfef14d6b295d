#include "agent/policy/rule.h"

#include <unistd.h>

#include <array>
#include <tuple>
#include <utility>

namespace signet::agent {
namespace {

constexpr std::array<std::pair<Verdict, std::string_view>, 3> kNames{{
    {Verdict::kAllow, "allow"},
    {Verdict::kDeny, "deny"},
    {Verdict::kAsk, "ask"},
}};

// The higher the stricter.
int Strictness(const Rule& rule) {
  constexpr int kAsk = OncePer::kMaxHours + 1;
  if (rule.decision == Verdict::kAllow) return 0;
  if (rule.decision == Verdict::kDeny) return kAsk + 3;
  switch (rule.once_per.scope) {
    case OncePer::Scope::kHours:
      return kAsk - rule.once_per.hours;
    case OncePer::Scope::kSession:
      return kAsk;
    case OncePer::Scope::kConnection:
      return kAsk + 1;
    case OncePer::Scope::kRequest:
      break;
  }
  return kAsk + 2;
}

auto Conditions(const Rule& rule) {
  return std::tie(rule.origin, rule.identity, rule.program, rule.issuer, rule.extended_key_usage_id,
                  rule.kind, rule.unit, rule.user_unit, rule.session, rule.sandbox, rule.agent,
                  rule.purpose);
}

}  // namespace

std::string_view Name(Verdict verdict) {
  for (const auto& [value, name] : kNames) {
    if (value == verdict) return name;
  }
  return "unknown";
}

std::optional<Verdict> ParseVerdict(std::string_view name) {
  for (const auto& [value, text] : kNames) {
    if (text == name) return value;
  }
  return std::nullopt;
}

AgentKind KindOfThisAgent() {
  constexpr uid_t kLastOfTheSystem = 999;  // Debian policy, section 9.2.2; systemd's SYSTEM_UID_MAX
  return geteuid() <= kLastOfTheSystem ? AgentKind::kSystem : AgentKind::kUser;
}

bool IsStricter(const Rule& one, const Rule& other) { return Strictness(one) > Strictness(other); }

bool SameConditions(const Rule& one, const Rule& other) {
  return Conditions(one) == Conditions(other);
}

}  // namespace signet::agent
