// Fields of messages between nanopb and our own types. Private to the protocol's files.
#ifndef SIGNET_CLIENT_LIB_SRC_NANOPB_FIELDS_H_
#define SIGNET_CLIENT_LIB_SRC_NANOPB_FIELDS_H_

#include <ipc/agent.nanopb.h>
#include <pb_decode.h>
#include <pb_encode.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <string>

#include "client-lib/src/agent_protocol.h"
#include "ipc/wire/bytes.h"
#include "ipc/wire/framing.h"

namespace signet {

// -- encoding. The callbacks run inside C code: nothing in them may throw.

inline bool WriteBytes(pb_ostream_t* stream, const pb_field_t* field, void* const* argument) {
  const auto& bytes = *static_cast<const wire::BytesView*>(*argument);
  return pb_encode_tag_for_field(stream, field) &&
         pb_encode_string(stream, bytes.data(), bytes.size());
}

// `bytes` must live until the message is encoded.
inline pb_callback_t Writes(wire::BytesView& bytes) {
  pb_callback_t callback{};
  callback.funcs.encode = WriteBytes;
  callback.arg = &bytes;
  return callback;
}

inline wire::Bytes Encode(const signet_v1_ClientMessage& message) {
  size_t size = 0;
  if (!pb_get_encoded_size(&size, signet_v1_ClientMessage_fields, &message)) throw std::bad_alloc();
  if (size > wire::kMaxMessageSize) return {};
  wire::Bytes encoded(size);
  pb_ostream_t stream = pb_ostream_from_buffer(encoded.data(), encoded.size());
  wire::Bytes framed;
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

inline pb_callback_t Reads(wire::Bytes& bytes) {
  pb_callback_t callback{};
  callback.funcs.decode = ReadInto<wire::Bytes, wire::kMaxMessageSize>;
  callback.arg = &bytes;
  return callback;
}

inline pb_callback_t Reads(std::string& text) {
  pb_callback_t callback{};
  callback.funcs.decode = ReadInto<std::string, kMaxText>;
  callback.arg = &text;
  return callback;
}

inline void CutAtZero(std::string& text) { text.resize(std::strlen(text.c_str())); }

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_NANOPB_FIELDS_H_
