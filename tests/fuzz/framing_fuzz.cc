// Input: one byte that says how to cut, then a stream of framed messages.
#include <algorithm>
#include <vector>

#include "ipc/wire/framing.h"
#include "tests/fuzz/check.h"

namespace signet::wire {
namespace {

struct Outcome {
  std::vector<Bytes> messages;
  bool broken = false;
  bool in_message = false;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

void TakeAll(MessageReader& reader, Outcome& outcome) {
  while (auto message = reader.Next()) outcome.messages.push_back(*std::move(message));
}

Outcome ReadWhole(BytesView stream) {
  MessageReader reader;
  Outcome outcome;
  reader.Feed(stream);
  TakeAll(reader, outcome);
  outcome.broken = reader.broken();
  outcome.in_message = reader.in_message();
  return outcome;
}

// Chunks of changing size; messages are taken after some of them only.
Outcome ReadInChunks(BytesView stream, uint8_t cut) {
  MessageReader reader;
  Outcome outcome;
  uint32_t state = cut;
  while (!stream.empty()) {
    state = state * 1103515245 + 12345;
    const size_t size = std::min<size_t>(1 + (state >> 16) % 9, stream.size());
    reader.Feed(stream.first(size));
    stream = stream.subspan(size);
    if (state >> 31) TakeAll(reader, outcome);
  }
  TakeAll(reader, outcome);
  outcome.broken = reader.broken();
  outcome.in_message = reader.in_message();
  return outcome;
}

void Check(BytesView stream, uint8_t cut) {
  const Outcome outcome = ReadWhole(stream);
  SIGNET_CHECK(ReadInChunks(stream, cut) == outcome);
  Bytes framed;
  for (const Bytes& message : outcome.messages) SIGNET_CHECK(AppendMessage(message, framed));
  SIGNET_CHECK(framed.size() <= stream.size());
  SIGNET_CHECK(std::ranges::equal(framed, stream.first(framed.size())));
  SIGNET_CHECK(outcome.in_message == (framed.size() < stream.size() && !outcome.broken));
}

}  // namespace
}  // namespace signet::wire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  signet::wire::Check({data + 1, size - 1}, data[0]);
  return 0;
}
