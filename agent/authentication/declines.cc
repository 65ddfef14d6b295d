#include "agent/authentication/declines.h"

#include "absl/strings/str_cat.h"

namespace signet::agent {

std::optional<Declined> WhatChanged(const CallingProcess& process) {
  const absl::Status unchanged = process.CheckUnchanged();
  if (unchanged.ok()) return std::nullopt;
  return Declined{DeclineReason::kCallerChanged, std::string(unchanged.message())};
}

Declined TooOften(absl::string_view what, uint32_t per_minute, absl::string_view key) {
  return {DeclineReason::kLimit,
          absl::StrCat(what, " more than ", per_minute, " times a minute, which [limits] ", key,
                       " forbids; wait a minute")};
}

// A backend's name has no line feed.
std::string KeyName(const KeyReference& key) {
  return absl::StrCat(key.backend, "\n", std::string(key.reference.begin(), key.reference.end()));
}

Declined TokenRefused(const Identity& identity, const absl::Status& status) {
  const std::string what = absl::StrCat("identity \"", identity.name, "\": ", status.message());
  switch (status.code()) {
    case absl::StatusCode::kFailedPrecondition:
      return {DeclineReason::kTokenLocked, what};  // and how to unlock it
    case absl::StatusCode::kDeadlineExceeded:
      return {DeclineReason::kDeadline, what};
    default:
      return {DeclineReason::kTokenFailed, absl::StrCat(what, "; see signet status")};
  }
}

}  // namespace signet::agent
