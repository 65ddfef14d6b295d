#include "client-lib/src/http3_output.h"

#include <algorithm>
#include <utility>

#include "ipc/wire/writer.h"

namespace signet {
namespace {

using wire::Bytes;
using wire::BytesView;

// Of the stack's own SETTINGS; a few entries, in truth.
constexpr uint64_t kMaxSettings = 16384;

}  // namespace

bool Http3Output::Write(BytesView bytes) {
  if (broken_) return false;
  if (!opened_ && !Open(bytes)) {
    broken_ = true;
    return false;
  }
  if (bytes.empty()) return true;
  const BytesView passing = bytes;
  while (frames_.Next(bytes)) {
  }
  Append(wire::Copy(passing), passing.size());
  return true;
}

// The stream's type and SETTINGS, which leave together when both are whole.
bool Http3Output::Open(BytesView& bytes) {
  const size_t before = bytes.size();
  bool done = false;
  if (!stream_type_) {
    stream_type_ = stream_type_bytes_.Feed(bytes);
    if (stream_type_ && *stream_type_ != kHttp3ControlStream) return false;
  }
  while (stream_type_ && !done) {
    const std::optional<Http3Frames::Piece> piece = frames_.Next(bytes);
    if (!piece) break;
    if (piece->type != kHttp3Settings || piece->length > kMaxSettings) return false;
    settings_.insert(settings_.end(), piece->bytes.begin(), piece->bytes.end());
    done = piece->last;
  }
  head_size_ += before - bytes.size();
  if (!done) return true;
  wire::Writer added;
  for (const signet_setting& setting : ours_) {
    added.Varint(setting.id);
    added.Varint(setting.value);
  }
  wire::Writer head;
  head.Varint(kHttp3ControlStream);
  head.Varint(kHttp3Settings);
  head.Varint(settings_.size() + added.bytes().size());
  head.Append(settings_);
  head.Append(added.bytes());
  opened_ = true;
  Append(head.Take(), head_size_);
  return true;
}

void Http3Output::AppendFrame(const signet_frame& frame) {
  wire::Writer writer(16 + frame.payload.size);
  writer.Varint(frame.type);
  writer.Varint(frame.payload.size);
  writer.Append({frame.payload.data, frame.payload.size});
  Append(writer.Take(), 0);
}

void Http3Output::Append(Bytes bytes, uint64_t of_stack) {
  unsent_.push_back({std::move(bytes), of_stack});
}

BytesView Http3Output::unsent() const {
  if (unsent_.empty()) return {};
  return BytesView(unsent_.front().bytes).subspan(sent_of_chunk_);
}

bool Http3Output::Sent(size_t count) {
  if (count > unsent().size()) return false;
  sent_of_chunk_ += count;
  if (!unsent_.empty() && sent_of_chunk_ == unsent_.front().bytes.size()) {
    waiting_.splice(waiting_.end(), unsent_, unsent_.begin());
    sent_of_chunk_ = 0;
  }
  return true;
}

std::optional<uint64_t> Http3Output::Acknowledged(uint64_t count) {
  uint64_t sent = sent_of_chunk_ - acked_of_chunk_;
  for (const Chunk& chunk : waiting_) sent += chunk.bytes.size();
  if (count > sent) return std::nullopt;
  uint64_t of_stack = 0;
  while (count > 0) {
    const Chunk& chunk = waiting_.empty() ? unsent_.front() : waiting_.front();
    const size_t rest = chunk.bytes.size() - acked_of_chunk_;
    const size_t step = static_cast<size_t>(std::min<uint64_t>(count, rest));
    count -= step;
    acked_of_chunk_ += step;
    const bool passed = chunk.of_stack == chunk.bytes.size();
    if (passed) of_stack += step;
    if (step < rest) break;
    if (!passed) of_stack += chunk.of_stack;
    waiting_.pop_front();  // what is acknowledged whole was sent whole
    acked_of_chunk_ = 0;
  }
  return of_stack;
}

}  // namespace signet
