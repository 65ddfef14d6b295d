#include "agent/prompter/shown_text.h"

#include <glib.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/printable/printable.h"

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

// Beyond what signet::Printable escapes.
bool HasShape(gunichar character) {
  switch (g_unichar_type(character)) {
    case G_UNICODE_FORMAT:
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_PRIVATE_USE:
      return false;
    default:
      return !IsBlank(character) && !g_unichar_iszerowidth(character);
  }
}

// As signet::Printable writes it.
std::string CodePoint(gunichar character) { return absl::StrFormat("\\u{%x}", character); }

size_t Length(const std::string& text) {
  return static_cast<size_t>(g_utf8_strlen(text.data(), static_cast<gssize>(text.size())));
}

// Of valid UTF-8, at most `limit` characters.
std::string Elided(const std::string& text, size_t limit) {
  const size_t length = Length(text);
  if (length <= limit) return text;
  const size_t head = (limit - 1) / 2;
  const size_t tail = limit - 1 - head;
  const char* const head_end = g_utf8_offset_to_pointer(text.c_str(), static_cast<glong>(head));
  const char* const tail_begin =
      g_utf8_offset_to_pointer(text.c_str(), static_cast<glong>(length - tail));
  return absl::StrCat(std::string(text.c_str(), head_end), "…", tail_begin);
}

// Of valid UTF-8: no space beside another, no heap of marks, nothing that has no shape.
std::string Settled(const std::string& text) {
  std::string settled;
  int marks = 0;
  for (const char* at = text.c_str(); *at != '\0'; at = g_utf8_next_char(at)) {
    const gunichar character = g_utf8_get_char(at);
    if (g_unichar_type(character) == G_UNICODE_SPACE_SEPARATOR) {
      if (!settled.empty() && settled.back() != ' ') settled += ' ';
      marks = kMaxMarks;  // they need a letter
      continue;
    }
    const bool mark = g_unichar_ismark(character);
    marks = mark ? marks + 1 : 0;
    const bool as_it_is = mark ? !settled.empty() && marks <= kMaxMarks : HasShape(character);
    settled.append(as_it_is ? std::string(at, static_cast<size_t>(g_utf8_next_char(at) - at))
                            : CodePoint(character));
  }
  return settled;
}

}  // namespace

std::string Shown(std::string_view text, size_t limit) {
  return Elided(Settled(Printable(text)), limit);
}

std::string ShownOrigin(std::string_view origin, size_t limit) {
  return Elided(PrintableAscii(origin), limit);
}

std::string Isolated(std::string_view shown) {
  return absl::StrCat("\u2068", std::string(shown), "\u2069");
}

}  // namespace signet::prompter
