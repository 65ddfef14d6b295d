#include "ipc/wire/writer.h"

namespace signet::wire {

void Writer::Integer(size_t size, uint64_t value) {
  if (size < sizeof(value) && value >> (8 * size) != 0) ok_ = false;
  if (!ok_) return;
  for (size_t i = size; i-- > 0;) bytes_.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

void Writer::U8(uint8_t value) { Integer(1, value); }
void Writer::U16(uint16_t value) { Integer(2, value); }
void Writer::U24(uint32_t value) { Integer(3, value); }
void Writer::U32(uint32_t value) { Integer(4, value); }

void Writer::Varint(uint64_t value) {
  for (unsigned log_size = 0; log_size < 4; ++log_size) {
    const size_t size = size_t{1} << log_size;
    const unsigned value_bits = 8 * size - 2;
    if (value >> value_bits == 0) {
      Integer(size, uint64_t{log_size} << value_bits | value);
      return;
    }
  }
  ok_ = false;
}

void Writer::Append(BytesView bytes) {
  if (ok_) bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void Writer::Vector(size_t length_size, BytesView bytes) {
  Integer(length_size, bytes.size());
  Append(bytes);
}

void Writer::Vector8(BytesView bytes) { Vector(1, bytes); }
void Writer::Vector16(BytesView bytes) { Vector(2, bytes); }
void Writer::Vector24(BytesView bytes) { Vector(3, bytes); }

}  // namespace signet::wire
