#include <array>
#include <utility>

#include "agent/authentication/authentication.h"

namespace signet::agent {
namespace {

constexpr std::array<std::pair<DeclineReason, std::string_view>, 9> kNames{{
    {DeclineReason::kNoIdentity, "no-identity"},
    {DeclineReason::kDenied, "denied"},
    {DeclineReason::kConsent, "consent"},
    {DeclineReason::kTokenLocked, "token-locked"},
    {DeclineReason::kTokenFailed, "token-failed"},
    {DeclineReason::kDeadline, "deadline"},
    {DeclineReason::kLimit, "limit"},
    {DeclineReason::kMalformed, "malformed"},
    {DeclineReason::kCallerChanged, "caller-changed"},
}};

}  // namespace

std::string_view Name(DeclineReason reason) {
  for (const auto& [value, name] : kNames) {
    if (value == reason) return name;
  }
  return "unknown";
}

}  // namespace signet::agent
