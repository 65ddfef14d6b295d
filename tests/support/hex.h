// Bytes written as hexadecimal digits, as in vectors and RFCs.
#ifndef SIGNET_TESTS_SUPPORT_HEX_H_
#define SIGNET_TESTS_SUPPORT_HEX_H_

#include <stdexcept>
#include <string>
#include <string_view>

#include "ipc/wire/bytes.h"

namespace signet::testing {

// Spaces are skipped; throws std::invalid_argument on anything else that is not a pair of digits.
inline wire::Bytes FromHex(std::string_view text) {
  const auto digit = [](char c) -> uint8_t {
    if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<uint8_t>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<uint8_t>(c - 'A' + 10);
    throw std::invalid_argument("not a hexadecimal digit");
  };
  std::string digits;
  for (char c : text) {
    if (c != ' ') digits += c;
  }
  if (digits.size() % 2 != 0) throw std::invalid_argument("an odd number of hexadecimal digits");
  wire::Bytes bytes;
  for (size_t i = 0; i < digits.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(digit(digits[i]) << 4 | digit(digits[i + 1])));
  }
  return bytes;
}

inline std::string ToHex(wire::BytesView bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace signet::testing

#endif  // SIGNET_TESTS_SUPPORT_HEX_H_
