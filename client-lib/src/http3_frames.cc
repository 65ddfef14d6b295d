#include "client-lib/src/http3_frames.h"

#include <algorithm>

#include "ipc/wire/reader.h"

namespace signet {

using wire::BytesView;

std::optional<uint64_t> Http3Varint::Feed(BytesView& bytes) {
  while (!bytes.empty()) {
    bytes_[size_++] = bytes.front();
    bytes = bytes.subspan(1);
    uint64_t value = 0;
    if (wire::Reader(BytesView(bytes_.data(), size_)).ReadVarint(value)) {
      size_ = 0;
      return value;
    }
  }
  return std::nullopt;
}

std::optional<Http3Frames::Piece> Http3Frames::Next(BytesView& bytes) {
  bool first = false;
  while (!inside_) {
    const std::optional<uint64_t> value = varint_.Feed(bytes);
    if (!value) return std::nullopt;
    if (!type_) {
      type_ = value;
      continue;
    }
    length_ = rest_ = *value;
    inside_ = first = true;
  }
  if (!first && bytes.empty()) return std::nullopt;
  const BytesView taken = bytes.first(static_cast<size_t>(std::min<uint64_t>(rest_, bytes.size())));
  bytes = bytes.subspan(taken.size());
  rest_ -= taken.size();
  const Piece piece{*type_, length_, first, rest_ == 0, taken};
  if (piece.last) {
    inside_ = false;
    type_.reset();
  }
  return piece;
}

}  // namespace signet
