#include "agent/prompter/shown_text.h"

#include <glib.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace signet::prompter {
namespace {

// More marks on one letter than any language writes would climb into the lines above.
constexpr int kMaxMarks = 2;

// Drawn as nothing although they are letters or symbols.
constexpr gunichar kBlanks[] = {0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0};

bool IsBlank(gunichar character) {
  for (const gunichar blank : kBlanks) {
    if (character == blank) return true;
  }
  return false;
}

bool HasShape(gunichar character) {
  switch (g_unichar_type(character)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
      return false;
    default:
      return !IsBlank(character) && !g_unichar_iszerowidth(character);
  }
}

std::string Utf8(gunichar character) {
  char bytes[6];
  return {bytes, static_cast<size_t>(g_unichar_to_utf8(character, bytes))};
}

// As signet::Printable writes it.
std::string CodePoint(gunichar character) {
  return absl::StrFormat(character < 0x80 ? "\\x%02x" : "\\u{%x}", character);
}

// What stands for each character; every piece is shown whole or not at all.
class Pieces {
 public:
  explicit Pieces(bool ascii_only) : ascii_only_(ascii_only) {}

  void AddByte(uint8_t byte) { pieces_.push_back(absl::StrFormat("\\x%02x", byte)); }

  void Add(gunichar character) {
    if (g_unichar_type(character) == G_UNICODE_SPACE_SEPARATOR && !ascii_only_) {
      if (!pieces_.empty() && pieces_.back() != " ") pieces_.push_back(" ");
      return;
    }
    if (g_unichar_ismark(character) && !ascii_only_) {
      const bool fits = !pieces_.empty() && marks_ < kMaxMarks;
      ++marks_;
      if (fits) {
        pieces_.back() += Utf8(character);
      } else {
        pieces_.push_back(CodePoint(character));
      }
      return;
    }
    marks_ = 0;
    const bool as_it_is = ascii_only_ ? character > 0x20 && character < 0x7F : HasShape(character);
    pieces_.push_back(as_it_is ? Utf8(character) : CodePoint(character));
  }

  std::string Join(size_t limit) const {
    size_t size = 0;
    for (const std::string& piece : pieces_) size += Length(piece);
    if (size <= limit) return Take(pieces_.begin(), pieces_.end(), limit);
    const size_t head = (limit - 1) / 2;
    std::string tail;
    size_t left = limit - 1 - head;
    for (auto piece = pieces_.rbegin(); piece != pieces_.rend(); ++piece) {
      if (Length(*piece) > left) break;
      left -= Length(*piece);
      tail.insert(0, *piece);
    }
    return absl::StrCat(Take(pieces_.begin(), pieces_.end(), head), "…", tail);
  }

 private:
  using Iterator = std::vector<std::string>::const_iterator;

  static size_t Length(const std::string& piece) {
    return static_cast<size_t>(g_utf8_strlen(piece.data(), static_cast<gssize>(piece.size())));
  }

  static std::string Take(Iterator begin, Iterator end, size_t left) {
    std::string taken;
    for (; begin != end && Length(*begin) <= left; ++begin) {
      left -= Length(*begin);
      taken += *begin;
    }
    return taken;
  }

  bool ascii_only_;
  int marks_ = 0;
  std::vector<std::string> pieces_;
};

std::string Show(std::string_view text, size_t limit, bool ascii_only) {
  Pieces pieces(ascii_only);
  while (!text.empty()) {
    const gunichar character =
        g_utf8_get_char_validated(text.data(), static_cast<gssize>(text.size()));
    // A NUL is -2 (incomplete) to some versions of GLib; it is one byte and a control character.
    if (text.front() == '\0') {
      pieces.Add(0);
      text.remove_prefix(1);
    } else if (character == static_cast<gunichar>(-1) || character == static_cast<gunichar>(-2)) {
      pieces.AddByte(static_cast<uint8_t>(text.front()));
      text.remove_prefix(1);
    } else {
      pieces.Add(character);
      text.remove_prefix(static_cast<size_t>(g_utf8_skip[static_cast<uint8_t>(text.front())]));
    }
  }
  return pieces.Join(limit);
}

}  // namespace

std::string Shown(std::string_view text, size_t limit) { return Show(text, limit, false); }

std::string ShownOrigin(std::string_view origin, size_t limit) { return Show(origin, limit, true); }

std::string Isolated(std::string_view shown) {
  return absl::StrCat("\u2068", std::string(shown), "\u2069");
}

}  // namespace signet::prompter
