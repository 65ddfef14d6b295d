#include "client-lib/src/agent_protocol.h"

#include <ipc/agent.nanopb.h>
#include <pb_decode.h>
#include <pb_encode.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "ipc/wire/framing.h"

namespace signet {
namespace {

using wire::Bytes;
using wire::BytesView;

// -- encoding. The callbacks run inside C code: nothing in them may throw.

bool WriteBytes(pb_ostream_t* stream, const pb_field_t* field, void* const* argument) {
  const auto& bytes = *static_cast<const BytesView*>(*argument);
  return pb_encode_tag_for_field(stream, field) &&
         pb_encode_string(stream, bytes.data(), bytes.size());
}

// `bytes` must live until the message is encoded.
pb_callback_t Writes(BytesView& bytes) {
  pb_callback_t callback{};
  callback.funcs.encode = WriteBytes;
  callback.arg = &bytes;
  return callback;
}

Bytes Encode(const signet_v1_ClientMessage& message) {
  size_t size = 0;
  if (!pb_get_encoded_size(&size, signet_v1_ClientMessage_fields, &message)) throw std::bad_alloc();
  if (size > wire::kMaxMessageSize) return {};
  Bytes encoded(size);
  pb_ostream_t stream = pb_ostream_from_buffer(encoded.data(), encoded.size());
  Bytes framed;
  if (!pb_encode(&stream, signet_v1_ClientMessage_fields, &message) ||
      !wire::AppendMessage(encoded, framed)) {
    return {};
  }
  return framed;
}

// -- decoding

// Appends the field to a container of bytes or chars, as far as its limit; skips the rest.
template <typename Container, size_t kLimit>
bool ReadInto(pb_istream_t* stream, const pb_field_t*, void** argument) {
  auto& container = *static_cast<Container*>(*argument);
  const size_t size = std::min(stream->bytes_left, kLimit);
  try {
    container.resize(size);
  } catch (...) {
    return false;  // read as garbage
  }
  return pb_read(stream, reinterpret_cast<pb_byte_t*>(container.data()), size) &&
         pb_read(stream, nullptr, stream->bytes_left);
}

pb_callback_t Reads(Bytes& bytes) {
  pb_callback_t callback{};
  callback.funcs.decode = ReadInto<Bytes, wire::kMaxMessageSize>;
  callback.arg = &bytes;
  return callback;
}

pb_callback_t Reads(std::string& text) {
  pb_callback_t callback{};
  callback.funcs.decode = ReadInto<std::string, kMaxText>;
  callback.arg = &text;
  return callback;
}

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

void CutAtZero(std::string& text) { text.resize(std::strlen(text.c_str())); }

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
