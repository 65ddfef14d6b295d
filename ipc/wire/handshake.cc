#include "ipc/wire/handshake.h"

#include "ipc/wire/writer.h"

namespace signet::wire {
namespace {

constexpr size_t kHeaderSize = 4;

}  // namespace

Result<HandshakeMessage> ReadHandshakeMessage(Reader& reader) {
  Reader ahead = reader;
  uint8_t type;
  BytesView body;
  if (!ahead.ReadU8(type) || !ahead.ReadVector24(body)) return Error::kTruncated;
  const BytesView whole = reader.rest().first(reader.remaining() - ahead.remaining());
  reader = ahead;
  return HandshakeMessage{static_cast<HandshakeType>(type), body, whole};
}

Result<Bytes> BuildHandshakeMessage(HandshakeType type, BytesView body) {
  Writer writer(kHeaderSize + body.size());
  writer.U8(static_cast<uint8_t>(type));
  writer.Vector24(body);
  if (!writer.ok()) return Error::kTooLong;
  return writer.Take();
}

}  // namespace signet::wire
