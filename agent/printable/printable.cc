#include "agent/printable/printable.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_format.h"

namespace signet {
namespace {

struct Character {
  uint32_t code_point = 0;
  size_t size = 0;  // in bytes; 0 = not UTF-8
};

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
Character Decode(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
  uint32_t code_point = lead & (0x7f >> size);
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code_point = code_point << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
  if (code_point < kSmallest[size] || surrogate || code_point > 0x10ffff) return {};
  return {code_point, size};
}

bool MayCommandATerminal(uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) ||  // C0, DEL, C1
         c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069) ||  // direction
         c == 0x2028 || c == 0x2029;      // line, paragraph
}

std::string Escape(std::string_view text, bool keep_newlines) {
  std::string printable;
  while (!text.empty()) {
    const Character c = Decode(text);
    const size_t size = std::max<size_t>(c.size, 1);
    if (c.size == 0 || (c.size == 1 && MayCommandATerminal(c.code_point) &&
                        !(keep_newlines && c.code_point == '\n'))) {
      printable += absl::StrFormat("\\x%02x", static_cast<uint8_t>(text[0]));
    } else if (c.size > 1 && MayCommandATerminal(c.code_point)) {
      printable += absl::StrFormat("\\u{%x}", c.code_point);
    } else {
      printable.append(text.substr(0, size));
    }
    text.remove_prefix(size);
  }
  return printable;
}

}  // namespace

std::string Printable(std::string_view text) { return Escape(text, false); }

std::string PrintableLines(std::string_view text) { return Escape(text, true); }

}  // namespace signet
