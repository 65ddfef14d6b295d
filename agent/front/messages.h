// Core types ↔ protobuf messages: the one place where they meet. Pure functions, any thread.
//
// Text that came from a certificate, a token, a path or a library is made valid UTF-8 without
// control characters first: protobuf peers refuse a message with anything else in a string, and
// terminals obey control characters.
#ifndef SIGNET_AGENT_FRONT_MESSAGES_H_
#define SIGNET_AGENT_FRONT_MESSAGES_H_

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/authentication/authentication.h"
#include "agent/front/tokens.h"
#include "agent/identity/identity.h"
#include "agent/policy/remembered_answers.h"
#include "agent/policy/rule.h"
#include "ipc/admin.pb.h"
#include "ipc/agent.pb.h"

namespace signet::agent {

inline constexpr std::chrono::milliseconds kDefaultPatience{30'000};
inline constexpr std::chrono::milliseconds kMaxPatience{120'000};

// When a caller that gave `milliseconds` (0 = it did not say) stops waiting.
Deadline ToDeadline(uint32_t milliseconds, std::chrono::steady_clock::time_point now);

// kInvalidArgument when the message names no hash.
absl::StatusOr<AuthenticationCall> FromMessage(const v1::AuthenticateRequest& message,
                                               Caller caller,
                                               std::chrono::steady_clock::time_point now);
v1::AuthenticateResponse ToMessage(const Outcome& outcome);

SigningCall FromMessage(const v1::SignRequest& message, Caller caller,
                        std::chrono::steady_clock::time_point now);
v1::SignResponse ToMessage(const SigningOutcome& outcome);
v1::Declined ToMessage(const Declined& declined);
v1::GetKeyResponse ToKeyMessage(const Identity& identity);

v1::CallerDescription ToMessage(const Caller& caller);

v1::IdentityKind ToMessage(IdentityKind kind);
std::optional<IdentityKind> FromMessage(v1::IdentityKind kind);

// `why_unusable` empty = usable.
v1::Identity ToMessage(const Identity& identity, std::string_view why_unusable);
// The next and the previous certificate, where there are any; their chains are left out.
void AddOtherCertificates(const Identity& identity, v1::Identity& message);
v1::ShowIdentityResponse ToShownMessage(const Identity& identity, std::string_view why_unusable);

v1::BackendStatus ToMessage(const BackendStatus& status);

v1::Rule ToMessage(const Rule& rule);
// Checks what can be told from the text alone; kInvalidArgument names the field.
absl::StatusOr<Rule> FromMessage(const v1::Rule& message);

v1::RememberedAnswer ToMessage(const RememberedAnswer& answer);

v1::Error ToMessage(const absl::Status& error);
// For unlock, whose errors speak of a PIN.
v1::Error ToUnlockMessage(const absl::Status& error);

// Valid UTF-8 without control characters; what was not becomes '?'.
std::string PlainText(std::string_view text);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_FRONT_MESSAGES_H_
