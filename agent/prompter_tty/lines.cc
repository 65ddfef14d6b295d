#include "agent/prompter_tty/lines.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/printable/printable.h"

namespace signet::prompter_tty {
namespace {

constexpr absl::string_view kLeftOut = "...";

// Names that are not English take more bytes than columns.
constexpr size_t kMoreBytes = 8;

std::vector<absl::string_view> Characters(absl::string_view utf8) {
  std::vector<absl::string_view> characters;
  while (!utf8.empty()) {
    size_t size = 1;
    while (size < utf8.size() && (static_cast<uint8_t>(utf8[size]) & 0xc0) == 0x80) ++size;
    characters.push_back(utf8.substr(0, size));
    utf8.remove_prefix(size);
  }
  return characters;
}

// Takes characters one by one, as long as there is room.
class Room {
 public:
  Room(size_t columns, size_t bytes) : columns_(columns), bytes_(bytes) {}
  bool Take(absl::string_view character) {
    if (columns_ == 0 || Cost(character) > bytes_) return false;
    --columns_;
    bytes_ -= Cost(character);
    return true;
  }

 private:
  size_t columns_;
  size_t bytes_;
};

}  // namespace

size_t Cost(absl::string_view text) {
  const auto escaped =
      std::count_if(text.begin(), text.end(), [](char c) { return c == '%' || c == '\n'; });
  return text.size() + 2 * static_cast<size_t>(escaped);
}

std::string Shorten(absl::string_view text, size_t columns, Keep keep) {
  const std::string printable = Printable({text.data(), text.size()});
  const std::vector<absl::string_view> characters = Characters(printable);
  const size_t bytes = columns + kMoreBytes;
  if (characters.size() <= columns && Cost(printable) <= bytes) return printable;

  const size_t column_room = columns - std::min(columns, kLeftOut.size());
  const size_t byte_room = bytes - kLeftOut.size();
  const size_t end_share = keep == Keep::kBeginning ? 0 : keep == Keep::kEnd ? 2 : 1;  // halves
  const size_t end_columns = column_room * end_share / 2;
  const size_t end_bytes = byte_room * end_share / 2;

  size_t end = printable.size();
  Room end_room(end_columns, end_bytes);
  for (auto it = characters.rbegin(); it != characters.rend() && end_room.Take(*it); ++it) {
    end -= it->size();
  }
  size_t beginning = 0;
  Room beginning_room(column_room - end_columns, byte_room - end_bytes);
  for (auto it = characters.begin(); it != characters.end() && beginning_room.Take(*it); ++it) {
    beginning += it->size();
  }
  return absl::StrCat(printable.substr(0, beginning), kLeftOut, printable.substr(end));
}

void Lines::AddLine(absl::string_view line) {
  if (!text_.empty()) text_ += '\n';
  absl::StrAppend(&text_, line);
}

void Lines::Say(absl::string_view sentence) {
  while (sentence.size() > columns_) {
    const size_t space = sentence.rfind(' ', columns_);
    if (space == absl::string_view::npos) break;
    AddLine(sentence.substr(0, space));
    sentence.remove_prefix(space + 1);
  }
  AddLine(sentence);
}

void Lines::Add(absl::string_view label, absl::string_view value, Keep keep) {
  if (value.empty()) return;
  const size_t room = columns_ - std::min(columns_, label.size() + 2);
  AddLine(absl::StrCat(label, ": ", Shorten(value, room, keep)));
}

}  // namespace signet::prompter_tty
