#include "ipc/wire/reader.h"

namespace signet::wire {

bool Reader::ReadInteger(size_t size, uint64_t& out) {
  if (rest_.size() < size) return false;
  uint64_t value = 0;
  for (uint8_t byte : rest_.first(size)) value = value << 8 | byte;
  rest_ = rest_.subspan(size);
  out = value;
  return true;
}

bool Reader::ReadU8(uint8_t& out) {
  uint64_t value;
  if (!ReadInteger(1, value)) return false;
  out = static_cast<uint8_t>(value);
  return true;
}

bool Reader::ReadU16(uint16_t& out) {
  uint64_t value;
  if (!ReadInteger(2, value)) return false;
  out = static_cast<uint16_t>(value);
  return true;
}

bool Reader::ReadU24(uint32_t& out) {
  uint64_t value;
  if (!ReadInteger(3, value)) return false;
  out = static_cast<uint32_t>(value);
  return true;
}

bool Reader::ReadU32(uint32_t& out) {
  uint64_t value;
  if (!ReadInteger(4, value)) return false;
  out = static_cast<uint32_t>(value);
  return true;
}

bool Reader::ReadVarint(uint64_t& out) {
  if (rest_.empty()) return false;
  // The two highest bits say how many bytes there are: 1, 2, 4 or 8.
  const size_t size = size_t{1} << (rest_.front() >> 6);
  uint64_t value;
  if (!ReadInteger(size, value)) return false;
  out = value & ~(uint64_t{3} << (8 * size - 2));
  return true;
}

bool Reader::ReadBytes(size_t count, BytesView& out) {
  if (rest_.size() < count) return false;
  out = rest_.first(count);
  rest_ = rest_.subspan(count);
  return true;
}

bool Reader::ReadVector(size_t length_size, BytesView& out) {
  Reader ahead = *this;
  uint64_t length;
  if (!ahead.ReadInteger(length_size, length) || !ahead.ReadBytes(length, out)) return false;
  *this = ahead;
  return true;
}

bool Reader::ReadVector8(BytesView& out) { return ReadVector(1, out); }
bool Reader::ReadVector16(BytesView& out) { return ReadVector(2, out); }
bool Reader::ReadVector24(BytesView& out) { return ReadVector(3, out); }

}  // namespace signet::wire
