#include "client-lib/src/agent_protocol.h"

#include <cstring>

#include "client-lib/src/nanopb_fields.h"

namespace signet {
namespace {

using wire::Bytes;
using wire::BytesView;

// nanopb stores whatever number came; to load it as the enum would be undefined.
template <typename Enum>
uint32_t NumberOf(const Enum& value) {
  static_assert(sizeof(Enum) == sizeof(uint32_t));
  uint32_t number;
  std::memcpy(&number, &value, sizeof number);
  return number;
}

const char* ReasonOf(const signet_v1_DeclineReason& reason) {
  switch (NumberOf(reason)) {
    case signet_v1_DeclineReason_DECLINE_REASON_NO_IDENTITY:
      return "no-identity";
    case signet_v1_DeclineReason_DECLINE_REASON_CONSENT:
      return "consent";
    case signet_v1_DeclineReason_DECLINE_REASON_TOKEN_LOCKED:
      return "token-locked";
    case signet_v1_DeclineReason_DECLINE_REASON_TOKEN_FAILED:
      return "token-failed";
    case signet_v1_DeclineReason_DECLINE_REASON_DEADLINE:
      return "deadline";
    case signet_v1_DeclineReason_DECLINE_REASON_LIMIT:
      return "limit";
    case signet_v1_DeclineReason_DECLINE_REASON_MALFORMED:
      return "malformed";
  }
  return "denied";  // also what a later agent may come to call it
}

const char* ReasonOf(const signet_v1_ErrorCode& code) {
  switch (NumberOf(code)) {
    case signet_v1_ErrorCode_ERROR_CODE_MALFORMED:
      return "malformed";
    case signet_v1_ErrorCode_ERROR_CODE_ACCESS:
      return "denied";
    case signet_v1_ErrorCode_ERROR_CODE_BUSY:
      return "limit";
    case signet_v1_ErrorCode_ERROR_CODE_NOT_FOUND:
      return "no-identity";
    case signet_v1_ErrorCode_ERROR_CODE_WRONG_PIN:
    case signet_v1_ErrorCode_ERROR_CODE_PIN_BLOCKED:
      return "token-locked";
  }
  return "token-failed";
}

// A server identity has no place in a client's authenticator.
const char* KindOf(const signet_v1_IdentityKind& kind) {
  switch (NumberOf(kind)) {
    case signet_v1_IdentityKind_IDENTITY_KIND_DEVICE:
      return "device";
    case signet_v1_IdentityKind_IDENTITY_KIND_USER:
      return "user";
  }
  return nullptr;
}

}  // namespace

Bytes EncodeAuthenticate(const AuthenticateCall& call) {
  BytesView handshake_context = call.handshake_context;
  BytesView request = call.request;
  BytesView origin(reinterpret_cast<const uint8_t*>(call.origin.data()), call.origin.size());
  signet_v1_ClientMessage message = signet_v1_ClientMessage_init_default;
  message.id = call.id;
  message.has_authenticate = true;
  message.authenticate.hash = call.hash == wire::PrfHash::kSha256
                                  ? signet_v1_PrfHash_PRF_HASH_SHA256
                                  : signet_v1_PrfHash_PRF_HASH_SHA384;
  message.authenticate.handshake_context = Writes(handshake_context);
  message.authenticate.request = Writes(request);
  message.authenticate.origin = Writes(origin);
  message.authenticate.deadline_ms = call.deadline_ms;
  return Encode(message);
}

Bytes EncodeCancel(uint64_t id) {
  signet_v1_ClientMessage message = signet_v1_ClientMessage_init_default;
  message.id = id;
  message.has_cancel = true;
  return Encode(message);
}

std::optional<AgentAnswer> DecodeAnswer(BytesView bytes) {
  AgentAnswer answer;
  std::string error_detail;
  signet_v1_AgentMessage message = signet_v1_AgentMessage_init_default;
  signet_v1_Authenticator& authenticator = message.authenticate.authenticator;
  signet_v1_Declined& declined = message.authenticate.declined;
  authenticator.certificate = Reads(answer.certificate);
  authenticator.certificate_verify = Reads(answer.certificate_verify);
  authenticator.identity = Reads(answer.identity);
  authenticator.subject = Reads(answer.subject);
  declined.detail = Reads(answer.detail);
  message.error.message = Reads(error_detail);

  pb_istream_t stream = pb_istream_from_buffer(bytes.data(), bytes.size());
  if (!pb_decode(&stream, signet_v1_AgentMessage_fields, &message)) return std::nullopt;
  const bool proved = message.has_authenticate && message.authenticate.has_authenticator;
  const bool refused = message.has_authenticate && message.authenticate.has_declined;
  if (proved + refused + message.has_error != 1) return std::nullopt;

  answer.id = message.id;
  if (proved) {
    answer.kind = AgentAnswer::Kind::kAuthenticator;
    answer.identity_kind = KindOf(authenticator.kind);
  } else if (refused) {
    answer.reason = ReasonOf(declined.reason);
  } else {
    answer.reason = ReasonOf(message.error.code);
    answer.detail = std::move(error_detail);
  }
  CutAtZero(answer.identity);
  CutAtZero(answer.subject);
  CutAtZero(answer.detail);
  return answer;
}

}  // namespace signet
