// Appends fields to a byte string; the counterpart of Reader.
#ifndef SIGNET_IPC_WIRE_WRITER_H_
#define SIGNET_IPC_WIRE_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "ipc/wire/bytes.h"

namespace signet::wire {

// A value that does not fit its field makes the writer not ok(); what follows is then ignored.
class Writer {
 public:
  // Makes room for so many bytes.
  explicit Writer(size_t expected_size = 0) { bytes_.reserve(expected_size); }

  void U8(uint8_t value);
  void U16(uint16_t value);
  void U24(uint32_t value);
  void U32(uint32_t value);
  void Varint(uint64_t value);  // shortest form; at most 2^62-1
  void Append(BytesView bytes);
  // The bytes behind their length in 1, 2 or 3 bytes.
  void Vector8(BytesView bytes);
  void Vector16(BytesView bytes);
  void Vector24(BytesView bytes);

  // Makes it not ok(): a part of what was to be written failed.
  void Fail() { ok_ = false; }

  bool ok() const { return ok_; }
  const Bytes& bytes() const { return bytes_; }
  Bytes Take() { return std::move(bytes_); }

 private:
  void Integer(size_t size, uint64_t value);
  void Vector(size_t length_size, BytesView bytes);

  Bytes bytes_;
  bool ok_ = true;
};

}  // namespace signet::wire

#endif  // SIGNET_IPC_WIRE_WRITER_H_
