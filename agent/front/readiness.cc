#include "agent/front/readiness.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/identity/selection.h"

namespace signet::agent {

std::string WhyNotReady(const Identity& identity, const std::vector<BackendStatus>& tokens,
                        std::chrono::system_clock::time_point now) {
  if (std::optional<std::string> reason = WhyUnusable(identity, now)) return *reason;
  const std::string& backend = identity.key.backend;
  const auto token = std::find_if(tokens.begin(), tokens.end(), [&](const BackendStatus& status) {
    return status.name == backend;
  });
  if (token == tokens.end()) {
    return absl::StrCat("no backend \"", backend, "\" is configured; add it to signet.toml");
  }
  switch (token->state) {
    case BackendState::kReady:
      return {};
    case BackendState::kLocked:
      return absl::StrCat("the token is locked; run: signet token unlock ", backend);
    case BackendState::kStarting:
      return absl::StrCat("backend ", backend, " is starting; try again in a moment");
    case BackendState::kFailed:
      break;
  }
  return absl::StrCat("backend ", backend, " failed: ", token->last_error,
                      token->next_step.empty() ? "" : "; ", token->next_step);
}

}  // namespace signet::agent
