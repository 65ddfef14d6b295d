#include "agent/printable/printable.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

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

// C0, DEL, C1; what changes the writing direction, ends a line or paragraph, or has no shape at all
// (Unicode's default ignorable format characters), so that two texts that differ look different.
bool HasNoShape(uint32_t c) {
  struct Range {
    uint32_t first;
    uint32_t last;
  };
  constexpr Range kRanges[] = {{0, 0x1f},        {0x7f, 0x9f},      {0xad, 0xad},
                               {0x61c, 0x61c},   {0x180e, 0x180e},  {0x200b, 0x200f},
                               {0x2028, 0x202e}, {0x2060, 0x206f},  {0xfeff, 0xfeff},
                               {0xfff9, 0xfffb}, {0xe0000, 0xe0fff}};
  return std::any_of(std::begin(kRanges), std::end(kRanges),
                     [&](const Range& range) { return c >= range.first && c <= range.last; });
}

enum class Keep { kAll, kNewlines, kAscii };

std::string Escape(std::string_view text, Keep keep) {
  std::string printable;
  while (!text.empty()) {
    const Character c = Decode(text);
    const size_t size = std::max<size_t>(c.size, 1);
    if (c.size == 0 || (c.size == 1 && HasNoShape(c.code_point) &&
                        !(keep == Keep::kNewlines && c.code_point == '\n'))) {
      printable += absl::StrFormat("\\x%02x", static_cast<uint8_t>(text[0]));
    } else if (c.size > 1 && (keep == Keep::kAscii || HasNoShape(c.code_point))) {
      printable += absl::StrFormat("\\u{%x}", c.code_point);
    } else {
      printable.append(text.substr(0, size));
    }
    text.remove_prefix(size);
  }
  return printable;
}

}  // namespace

std::string Printable(std::string_view text) { return Escape(text, Keep::kAll); }

std::string PrintableLines(std::string_view text) { return Escape(text, Keep::kNewlines); }

std::string PrintableAscii(std::string_view text) { return Escape(text, Keep::kAscii); }

}  // namespace signet
