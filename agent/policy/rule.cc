#include "agent/policy/rule.h"

#include <array>
#include <utility>

namespace signet::agent {
namespace {

constexpr std::array<std::pair<Verdict, std::string_view>, 3> kNames{{
    {Verdict::kAllow, "allow"},
    {Verdict::kDeny, "deny"},
    {Verdict::kAsk, "ask"},
}};

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

}  // namespace signet::agent
