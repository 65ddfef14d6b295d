#include "client-lib/src/key_protocol.h"

#include "client-lib/src/nanopb_fields.h"

namespace signet {
namespace {

using wire::Bytes;
using wire::BytesView;

constexpr uint64_t kId = 1;

BytesView View(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

signet_v1_ClientMessage NewMessage() {
  signet_v1_ClientMessage message = signet_v1_ClientMessage_init_default;
  message.id = kId;
  return message;
}

// A repeated field: each value is read into a new element.
bool ReadCertificate(pb_istream_t* stream, const pb_field_t* field, void** argument) {
  try {
    void* element = &static_cast<std::vector<Bytes>*>(*argument)->emplace_back();
    return ReadInto<Bytes, wire::kMaxMessageSize>(stream, field, &element);
  } catch (...) {
    return false;
  }
}

bool ReadIdentity(pb_istream_t* stream, const pb_field_t*, void** argument) {
  try {
    std::string& name = static_cast<std::vector<std::string>*>(*argument)->emplace_back();
    signet_v1_Identity identity = signet_v1_Identity_init_default;
    identity.name = Reads(name);
    const bool read = pb_decode(stream, signet_v1_Identity_fields, &identity);
    CutAtZero(name);
    return read;
  } catch (...) {
    return false;
  }
}

template <typename T>
pb_callback_t ReadsEach(bool (*read)(pb_istream_t*, const pb_field_t*, void**), T& into) {
  pb_callback_t callback{};
  callback.funcs.decode = read;
  callback.arg = &into;
  return callback;
}

}  // namespace

Bytes EncodeSign(std::string_view identity, uint16_t scheme, BytesView content,
                 BytesView public_key, uint32_t deadline_ms) {
  BytesView name = View(identity);
  signet_v1_ClientMessage message = NewMessage();
  message.has_sign = true;
  message.sign.identity = Writes(name);
  message.sign.scheme = scheme;
  message.sign.content = Writes(content);
  message.sign.deadline_ms = deadline_ms;
  message.sign.public_key = Writes(public_key);
  return Encode(message);
}

Bytes EncodeGetKey(std::string_view identity) {
  BytesView name = View(identity);
  signet_v1_ClientMessage message = NewMessage();
  message.has_get_key = true;
  message.get_key.identity = Writes(name);
  return Encode(message);
}

Bytes EncodeList() {
  signet_v1_ClientMessage message = NewMessage();
  message.has_list_identities = true;
  return Encode(message);
}

std::optional<KeyAnswer> DecodeKeyAnswer(BytesView bytes) {
  KeyAnswer answer;
  std::string sign_detail, key_detail, error_detail;
  signet_v1_AgentMessage message = signet_v1_AgentMessage_init_default;
  message.sign.signature = Reads(answer.signature);
  message.sign.declined.detail = Reads(sign_detail);
  message.get_key.key.public_key = Reads(answer.public_key);
  message.get_key.key.chain = ReadsEach(ReadCertificate, answer.chain);
  message.get_key.declined.detail = Reads(key_detail);
  message.list_identities.identities = ReadsEach(ReadIdentity, answer.identities);
  message.error.message = Reads(error_detail);

  pb_istream_t stream = pb_istream_from_buffer(bytes.data(), bytes.size());
  if (!pb_decode(&stream, signet_v1_AgentMessage_fields, &message)) return std::nullopt;
  const int results =
      message.has_sign + message.has_get_key + message.has_list_identities + message.has_error;
  if (results != 1 || (message.id != kId && !message.has_error)) return std::nullopt;
  if (message.has_sign && !message.sign.has_declined) {
    answer.kind = KeyAnswer::Kind::kSignature;
    if (answer.signature.empty()) return std::nullopt;
  } else if (message.has_get_key && message.get_key.has_key) {
    answer.kind = KeyAnswer::Kind::kKey;
    if (answer.public_key.empty()) return std::nullopt;
  } else if (message.has_list_identities) {
    answer.kind = KeyAnswer::Kind::kList;
  }
  for (std::string* detail : {&sign_detail, &key_detail, &error_detail}) {
    if (!detail->empty()) answer.detail = std::move(*detail);
  }
  CutAtZero(answer.detail);
  return answer;
}

}  // namespace signet
