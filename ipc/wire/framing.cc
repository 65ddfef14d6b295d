#include "ipc/wire/framing.h"

#include "ipc/wire/reader.h"
#include "ipc/wire/writer.h"

namespace signet::wire {

bool AppendMessage(BytesView message, Bytes& out) {
  if (message.size() > kMaxMessageSize) return false;
  Writer prefix(kLengthPrefixSize);
  prefix.U32(static_cast<uint32_t>(message.size()));
  out.reserve(out.size() + kLengthPrefixSize + message.size());
  out.insert(out.end(), prefix.bytes().begin(), prefix.bytes().end());
  out.insert(out.end(), message.begin(), message.end());
  return true;
}

void MessageReader::Feed(BytesView bytes) {
  if (broken_) return;
  // Moving only when at least half is gone keeps the cost per byte constant.
  if (taken_ > 0 && taken_ >= buffer_.size() / 2) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(taken_));
    taken_ = 0;
  }
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  HeadLength();
}

std::optional<Bytes> MessageReader::Next() {
  const std::optional<size_t> length = HeadLength();
  if (!length) return std::nullopt;
  const BytesView rest = BytesView(buffer_).subspan(taken_ + kLengthPrefixSize);
  if (rest.size() < *length) return std::nullopt;
  Bytes message = Copy(rest.first(*length));
  taken_ += kLengthPrefixSize + *length;
  if (taken_ == buffer_.size()) {
    Bytes().swap(buffer_);
    taken_ = 0;
  }
  HeadLength();  // an oversized successor is known at once
  return message;
}

std::optional<size_t> MessageReader::HeadLength() {
  uint32_t length;
  if (broken_ || !Reader(BytesView(buffer_).subspan(taken_)).ReadU32(length)) return std::nullopt;
  if (length > kMaxMessageSize) {
    broken_ = true;
    Bytes().swap(buffer_);
    taken_ = 0;
    return std::nullopt;
  }
  return length;
}

}  // namespace signet::wire
