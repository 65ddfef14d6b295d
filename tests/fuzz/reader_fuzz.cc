// Input: pairs of bytes, of which the first says what to read next from the whole input.
#include <algorithm>

#include "ipc/wire/handshake.h"
#include "ipc/wire/reader.h"
#include "ipc/wire/writer.h"
#include "tests/fuzz/check.h"

namespace signet::wire {
namespace {

// What was read, written again, must be what was consumed.
enum class Outcome { kFailed, kExact, kVarint };

Outcome ReadAndRewrite(uint8_t what, Reader& reader, Writer& writer) {
  uint8_t u8;
  uint16_t u16;
  uint32_t u32;
  uint64_t u64;
  BytesView view;
  switch (what % 9) {
    case 0:
      if (!reader.ReadU8(u8)) return Outcome::kFailed;
      writer.U8(u8);
      return Outcome::kExact;
    case 1:
      if (!reader.ReadU16(u16)) return Outcome::kFailed;
      writer.U16(u16);
      return Outcome::kExact;
    case 2:
      if (!reader.ReadU24(u32)) return Outcome::kFailed;
      writer.U24(u32);
      return Outcome::kExact;
    case 3:
      if (!reader.ReadU32(u32)) return Outcome::kFailed;
      writer.U32(u32);
      return Outcome::kExact;
    case 4:
      if (!reader.ReadVarint(u64)) return Outcome::kFailed;
      writer.Varint(u64);
      return Outcome::kVarint;
    case 5:
      if (!reader.ReadVector8(view)) return Outcome::kFailed;
      writer.Vector8(view);
      return Outcome::kExact;
    case 6:
      if (!reader.ReadVector16(view)) return Outcome::kFailed;
      writer.Vector16(view);
      return Outcome::kExact;
    case 7:
      if (!reader.ReadVector24(view)) return Outcome::kFailed;
      writer.Vector24(view);
      return Outcome::kExact;
    default: {
      const auto message = ReadHandshakeMessage(reader);
      if (!message.ok()) return Outcome::kFailed;
      const auto built = BuildHandshakeMessage(message->type, message->body);
      SIGNET_CHECK(built.ok());
      writer.Append(*built);
      return Outcome::kExact;
    }
  }
}

void Check(BytesView input) {
  Reader reader(input);
  for (size_t i = 0; i < input.size() && !reader.empty(); i += 2) {
    const BytesView before = reader.rest();
    Writer writer;
    const Outcome outcome = ReadAndRewrite(input[i], reader, writer);
    SIGNET_CHECK(writer.ok());
    SIGNET_CHECK(reader.remaining() <= before.size());
    const BytesView consumed = before.first(before.size() - reader.remaining());
    if (outcome == Outcome::kFailed) {
      SIGNET_CHECK(consumed.empty());
    } else if (outcome == Outcome::kExact) {
      SIGNET_CHECK(std::ranges::equal(writer.bytes(), consumed));
    } else {
      SIGNET_CHECK(writer.bytes().size() <= consumed.size());
      uint64_t value, again;
      Reader original(consumed), rewritten(writer.bytes());
      SIGNET_CHECK(original.ReadVarint(value) && original.empty());
      SIGNET_CHECK(rewritten.ReadVarint(again) && rewritten.empty());
      SIGNET_CHECK(value == again);
    }
  }
}

}  // namespace
}  // namespace signet::wire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  signet::wire::Check({data, size});
  return 0;
}
