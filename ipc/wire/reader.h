// The one cursor through which every outside byte is read.
#ifndef SIGNET_IPC_WIRE_READER_H_
#define SIGNET_IPC_WIRE_READER_H_

#include <cstddef>
#include <cstdint>

#include "ipc/wire/bytes.h"

namespace signet::wire {

// Borrows the bytes. A read that fails returns false, moves nothing and writes nothing; views that
// come out point into the borrowed bytes. Integers are big-endian (RFC 8446 section 3.3).
class Reader {
 public:
  explicit Reader(BytesView bytes) : rest_(bytes) {}

  [[nodiscard]] bool ReadU8(uint8_t& out);
  [[nodiscard]] bool ReadU16(uint16_t& out);
  [[nodiscard]] bool ReadU24(uint32_t& out);
  [[nodiscard]] bool ReadU32(uint32_t& out);
  // RFC 9000 section 16; forms longer than needed are accepted.
  [[nodiscard]] bool ReadVarint(uint64_t& out);
  [[nodiscard]] bool ReadBytes(size_t count, BytesView& out);
  // A vector behind a length field of 1, 2 or 3 bytes.
  [[nodiscard]] bool ReadVector8(BytesView& out);
  [[nodiscard]] bool ReadVector16(BytesView& out);
  [[nodiscard]] bool ReadVector24(BytesView& out);

  bool empty() const { return rest_.empty(); }
  size_t remaining() const { return rest_.size(); }
  BytesView rest() const { return rest_; }

 private:
  bool ReadInteger(size_t size, uint64_t& out);
  bool ReadVector(size_t length_size, BytesView& out);

  BytesView rest_;
};

}  // namespace signet::wire

#endif  // SIGNET_IPC_WIRE_READER_H_
