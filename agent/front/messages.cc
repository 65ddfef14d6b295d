#include "agent/front/messages.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "agent/identity/pem.h"
#include "agent/identity/selection.h"
#include "agent/policy/rule_keys.h"

namespace signet::agent {
namespace {

std::string ToString(wire::BytesView bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

wire::Bytes ToBytes(std::string_view text) { return wire::Bytes(text.begin(), text.end()); }

const char* SessionTypeName(LoginSession::Type type) {
  switch (type) {
    case LoginSession::Type::kNone:
      return "none";
    case LoginSession::Type::kLocal:
      return "local";
    case LoginSession::Type::kSsh:
      return "ssh";
  }
  return "";
}

v1::DeclineReason ToMessage(DeclineReason reason) {
  switch (reason) {
    case DeclineReason::kNoIdentity:
      return v1::DECLINE_REASON_NO_IDENTITY;
    case DeclineReason::kDenied:
      return v1::DECLINE_REASON_DENIED;
    case DeclineReason::kConsent:
      return v1::DECLINE_REASON_CONSENT;
    case DeclineReason::kTokenLocked:
      return v1::DECLINE_REASON_TOKEN_LOCKED;
    case DeclineReason::kTokenFailed:
      return v1::DECLINE_REASON_TOKEN_FAILED;
    case DeclineReason::kDeadline:
      return v1::DECLINE_REASON_DEADLINE;
    case DeclineReason::kLimit:
      return v1::DECLINE_REASON_LIMIT;
    case DeclineReason::kMalformed:
      return v1::DECLINE_REASON_MALFORMED;
    case DeclineReason::kCallerChanged:
      return v1::DECLINE_REASON_CALLER_CHANGED;
  }
  return v1::DECLINE_REASON_UNSPECIFIED;
}

std::string_view Name(BackendState state) {
  switch (state) {
    case BackendState::kReady:
      return "ready";
    case BackendState::kLocked:
      return "locked";
    case BackendState::kStarting:
      return "starting";
    case BackendState::kFailed:
      return "failed";
  }
  return "";
}

v1::ErrorCode ToErrorCode(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
      return v1::ERROR_CODE_MALFORMED;
    case absl::StatusCode::kPermissionDenied:
      return v1::ERROR_CODE_ACCESS;
    case absl::StatusCode::kResourceExhausted:
      return v1::ERROR_CODE_BUSY;
    case absl::StatusCode::kNotFound:
      return v1::ERROR_CODE_NOT_FOUND;
    default:
      return v1::ERROR_CODE_FAILED;
  }
}

v1::Error MakeError(v1::ErrorCode code, const absl::Status& error) {
  v1::Error message;
  message.set_code(code);
  message.set_message(PlainText(std::string(error.message())));
  return message;
}

// How many bytes the UTF-8 character at the start of `text` has (RFC 3629); 0 when it is none or is
// a control character (C0, DEL, C1).
size_t PlainCharacterLength(std::string_view text) {
  const auto byte = [text](size_t at) { return static_cast<uint8_t>(text[at]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  uint32_t point = first & (0x7f >> length);
  for (size_t at = 1; at < length; ++at) {
    if ((byte(at) & 0xc0) != 0x80) return 0;
    point = point << 6 | (byte(at) & 0x3f);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0xa0, 0x800, 0x10000};
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  return point < kSmallest[length] || surrogate || point > 0x10ffff ? 0 : length;
}

// RFC 3339.
std::string UtcText(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  char text[32];
  gmtime_r(&seconds, &parts);
  return std::string(text, std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts));
}

v1::PinTries ToMessage(PinTries tries) {
  switch (tries) {
    case PinTries::kUnknown:
      break;
    case PinTries::kAll:
      return v1::PIN_TRIES_ALL;
    case PinTries::kFew:
      return v1::PIN_TRIES_FEW;
    case PinTries::kLast:
      return v1::PIN_TRIES_LAST;
    case PinTries::kBlocked:
      return v1::PIN_TRIES_BLOCKED;
  }
  return v1::PIN_TRIES_UNKNOWN;
}

v1::Certificate ToCertificate(const Identity& identity) {
  const CertificateSummary certificate = Summarize(identity);
  v1::Certificate message;
  message.set_subject(PlainText(certificate.subject));
  message.set_issuer(PlainText(certificate.issuer));
  message.set_not_before(certificate.not_before);
  message.set_not_after(certificate.not_after);
  message.set_sha256(certificate.sha256);
  return message;
}

}  // namespace

std::string PlainText(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    const size_t length = PlainCharacterLength(text);
    if (length == 0) {
      plain.push_back('?');
    } else {
      plain.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return plain;
}

Deadline ToDeadline(uint32_t milliseconds, std::chrono::steady_clock::time_point now) {
  if (milliseconds == 0) return now + kDefaultPatience;
  return now + std::min(std::chrono::milliseconds(milliseconds), kMaxPatience);
}

absl::StatusOr<AuthenticationCall> FromMessage(const v1::AuthenticateRequest& message,
                                               Caller caller,
                                               std::chrono::steady_clock::time_point now) {
  AuthenticationCall call;
  switch (message.hash()) {
    case v1::PRF_HASH_SHA256:
      call.hash = wire::PrfHash::kSha256;
      break;
    case v1::PRF_HASH_SHA384:
      call.hash = wire::PrfHash::kSha384;
      break;
    default:
      return absl::InvalidArgumentError(
          "authenticate: hash: neither SHA-256 nor SHA-384; name that of the connection's cipher "
          "suite");
  }
  call.caller = std::move(caller);
  call.handshake_context = ToBytes(message.handshake_context());
  call.request = ToBytes(message.request());
  call.origin = message.origin();
  call.deadline = ToDeadline(message.deadline_ms(), now);
  call.identity = message.identity();
  if (!call.identity.empty()) call.certificate = message.certificate();
  return call;
}

v1::AuthenticateResponse ToMessage(const Outcome& outcome) {
  v1::AuthenticateResponse message;
  if (const auto* authenticated = std::get_if<Authenticated>(&outcome)) {
    v1::Authenticator& authenticator = *message.mutable_authenticator();
    authenticator.set_certificate(ToString(authenticated->certificate));
    authenticator.set_certificate_verify(ToString(authenticated->certificate_verify));
    authenticator.set_identity(authenticated->identity);
    authenticator.set_kind(ToMessage(authenticated->kind));
    authenticator.set_subject(PlainText(authenticated->subject));
  } else {
    *message.mutable_declined() = ToMessage(std::get<Declined>(outcome));
  }
  return message;
}

v1::Declined ToMessage(const Declined& declined) {
  v1::Declined message;
  message.set_reason(ToMessage(declined.reason));
  message.set_detail(PlainText(declined.detail));
  return message;
}

SigningCall FromMessage(const v1::SignRequest& message, Caller caller,
                        std::chrono::steady_clock::time_point now) {
  SigningCall call;
  call.caller = std::move(caller);
  call.identity = message.identity();
  // No scheme has a number that is no uint16; 0 is none either.
  const bool known = message.scheme() <= UINT16_MAX;
  call.scheme = static_cast<wire::SignatureScheme>(known ? message.scheme() : 0);
  call.content = ToBytes(message.content());
  call.public_key = ToBytes(message.public_key());
  call.deadline = ToDeadline(message.deadline_ms(), now);
  return call;
}

v1::SignResponse ToMessage(const SigningOutcome& outcome) {
  v1::SignResponse message;
  if (const auto* signature = std::get_if<wire::Bytes>(&outcome)) {
    message.set_signature(ToString(*signature));
  } else {
    *message.mutable_declined() = ToMessage(std::get<Declined>(outcome));
  }
  return message;
}

v1::GetKeyResponse ToKeyMessage(const Identity& identity) {
  v1::GetKeyResponse message;
  message.mutable_key()->set_public_key(ToString(identity.public_key));
  for (const wire::Bytes& der : identity.chain) message.mutable_key()->add_chain(ToString(der));
  return message;
}

v1::CallerDescription ToMessage(const Caller& caller) {
  v1::CallerDescription message;
  message.set_pid(caller.pid);
  message.set_uid(caller.uid);
  message.set_gid(caller.gid);
  if (caller.executable) message.set_program(PlainText(caller.executable->path));
  message.set_unit(PlainText(caller.unit));
  message.set_user_unit(PlainText(caller.user_unit));
  message.set_login_session(PlainText(caller.login_session.id));
  message.set_session_type(SessionTypeName(caller.login_session.type));
  message.set_sandbox(PlainText(caller.sandbox));
  for (const ParentProcess& parent : caller.parents) message.add_parents(PlainText(parent.name));
  message.set_command_line(PlainText(caller.command_line));
  return message;
}

v1::IdentityKind ToMessage(IdentityKind kind) {
  switch (kind) {
    case IdentityKind::kDevice:
      return v1::IDENTITY_KIND_DEVICE;
    case IdentityKind::kUser:
      return v1::IDENTITY_KIND_USER;
    case IdentityKind::kServer:
      return v1::IDENTITY_KIND_SERVER;
  }
  return v1::IDENTITY_KIND_UNSPECIFIED;
}

std::optional<IdentityKind> FromMessage(v1::IdentityKind kind) {
  switch (kind) {
    case v1::IDENTITY_KIND_DEVICE:
      return IdentityKind::kDevice;
    case v1::IDENTITY_KIND_USER:
      return IdentityKind::kUser;
    case v1::IDENTITY_KIND_SERVER:
      return IdentityKind::kServer;
    default:
      return std::nullopt;
  }
}

v1::Identity ToMessage(const Identity& identity, std::string_view why_unusable) {
  const CertificateSummary certificate = Summarize(identity);
  v1::Identity message;
  message.set_name(identity.name);
  message.set_kind(ToMessage(identity.kind));
  message.set_backend(identity.key.backend);
  message.set_algorithm(identity.algorithm);
  message.set_hardware(identity.hardware);
  message.set_subject(PlainText(certificate.subject));
  message.set_issuer(PlainText(certificate.issuer));
  message.set_not_after(certificate.not_after);
  message.set_usable(why_unusable.empty());
  message.set_reason(PlainText(why_unusable));
  message.set_found(identity.found);
  return message;
}

void AddOtherCertificates(const Identity& identity, v1::Identity& message) {
  if (identity.next != nullptr) *message.mutable_next() = ToCertificate(*identity.next);
  if (identity.previous != nullptr) *message.mutable_previous() = ToCertificate(*identity.previous);
}

v1::ShowIdentityResponse ToShownMessage(const Identity& identity, std::string_view why_unusable) {
  const CertificateSummary certificate = Summarize(identity);
  v1::ShowIdentityResponse message;
  *message.mutable_identity() = ToMessage(identity, why_unusable);
  AddOtherCertificates(identity, *message.mutable_identity());
  message.set_chain_pem(ChainToPem(identity.chain));
  if (identity.next != nullptr) message.set_next_chain_pem(ChainToPem(identity.next->chain));
  if (identity.previous != nullptr) {
    message.set_previous_chain_pem(ChainToPem(identity.previous->chain));
  }
  message.set_public_key_pem(PublicKeyToPem(identity.public_key));
  message.set_sha256(certificate.sha256);
  message.set_serial(certificate.serial);
  message.set_not_before(certificate.not_before);
  return message;
}

v1::BackendStatus ToMessage(const BackendStatus& status) {
  v1::BackendStatus message;
  message.set_name(PlainText(status.name));
  message.set_type(status.type);
  message.set_state(std::string(Name(status.state)));
  message.set_pid(status.pid);
  message.set_last_error(PlainText(status.last_error));
  message.set_next_step(PlainText(status.next_step));
  message.set_hardware(status.hardware);
  message.set_token(PlainText(status.token));
  message.set_restarts(status.restarts);
  message.set_pin_pad(status.pin_pad);
  message.set_pin_tries(ToMessage(status.pin_tries));
  message.set_tries_left(status.tries_left);
  if (status.unlocked_until) message.set_unlocked_until(UtcText(*status.unlocked_until));
  return message;
}

v1::Rule ToMessage(const Rule& rule) {
  v1::Rule message;
  for (const RuleKey& key : RuleKeys()) {
    const auto* field = v1::Rule::descriptor()->FindFieldByName(key.name);
    message.GetReflection()->SetString(&message, field, PlainText(key.get(rule)));
  }
  message.set_final(rule.final);
  message.set_trusted_origin(rule.trusted_origin);
  message.set_source(PlainText(rule.source.native()));
  message.set_line(rule.line);
  return message;
}

absl::StatusOr<Rule> FromMessage(const v1::Rule& message) {
  if (message.identity().empty()) {
    return absl::InvalidArgumentError(
        "rule: identity: empty; name an identity, or * for any of them");
  }
  Rule rule;
  rule.final = message.final();
  rule.trusted_origin = message.trusted_origin();
  for (const RuleKey& key : RuleKeys()) {
    const auto* field = v1::Rule::descriptor()->FindFieldByName(key.name);
    const std::string text = message.GetReflection()->GetString(message, field);
    const bool required =
        (key.name == std::string_view("origin") && NeedsOrigin(message.purpose())) ||
        key.name == std::string_view("decision");
    if (text.empty() && !required) continue;
    const absl::Status set = key.set(text, rule);
    if (!set.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("rule: ", key.name, ": ", set.message()));
    }
  }
  std::string key;
  if (const absl::Status whole = CheckRule(rule, key); !whole.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("rule: ", key, ": ", whole.message()));
  }
  return rule;
}

v1::RememberedAnswer ToMessage(const RememberedAnswer& answer) {
  const Question& question = answer.question;
  v1::RememberedAnswer message;
  message.set_id(answer.id);
  message.set_uid(question.uid);
  message.set_program(PlainText(question.program.path));
  message.set_origin(PlainText(question.origin.ToString()));
  message.set_identity(PlainText(question.identity));
  message.set_once_per(ToText(answer.once_per));
  message.set_given(UtcText(answer.given));
  return message;
}

v1::Error ToMessage(const absl::Status& error) {
  return MakeError(ToErrorCode(error.code()), error);
}

v1::Error ToUnlockMessage(const absl::Status& error) {
  switch (error.code()) {
    case absl::StatusCode::kPermissionDenied:
      return MakeError(v1::ERROR_CODE_WRONG_PIN, error);
    case absl::StatusCode::kResourceExhausted:
      return MakeError(v1::ERROR_CODE_PIN_BLOCKED, error);
    case absl::StatusCode::kInvalidArgument:
      return MakeError(v1::ERROR_CODE_FAILED, error);
    default:
      return ToMessage(error);
  }
}

}  // namespace signet::agent
