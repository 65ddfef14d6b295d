#include "tests/support/piv_card/tlv.h"

namespace signet::test::piv {

Bytes operator+(Bytes left, BytesView right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes Tlv(uint32_t tag, BytesView value) {
  Bytes bytes;
  if (tag > 0xffff) bytes.push_back(static_cast<uint8_t>(tag >> 16));
  if (tag > 0xff) bytes.push_back(static_cast<uint8_t>(tag >> 8));
  bytes.push_back(static_cast<uint8_t>(tag));
  const size_t size = value.size();
  if (size > 0xff) {
    bytes.insert(bytes.end(), {0x82, static_cast<uint8_t>(size >> 8)});
  } else if (size > 0x7f) {
    bytes.push_back(0x81);
  }
  bytes.push_back(static_cast<uint8_t>(size));
  return std::move(bytes) + value;
}

std::optional<BytesView> FindTlv(BytesView bytes, uint8_t tag) {
  while (bytes.size() >= 2) {
    const uint8_t found = bytes[0];
    size_t size = bytes[1];
    size_t header = 2;
    if (size > 0x80) {
      const size_t count = size - 0x80;
      if (count > 2 || bytes.size() < header + count) return std::nullopt;
      size = 0;
      for (size_t i = 0; i < count; ++i) size = size << 8 | bytes[header++];
    }
    if (bytes.size() - header < size) return std::nullopt;
    if (found == tag) return bytes.subspan(header, size);
    bytes = bytes.subspan(header + size);
  }
  return std::nullopt;
}

}  // namespace signet::test::piv
