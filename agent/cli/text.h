// Text for a person's terminal.
#ifndef SIGNET_AGENT_CLI_TEXT_H_
#define SIGNET_AGENT_CLI_TEXT_H_

#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/printable/printable.h"

namespace signet::cli {

// How a word strikes the eye: green, yellow or red, where there are colours.
enum class Tone { kPlain, kGood, kWait, kBad };

// `printable` in its tone.
std::string Toned(std::string_view printable, Tone tone, bool colours);

// A text is a plain cell.
struct Cell {
  Cell(std::string cell_text, Tone cell_tone = Tone::kPlain)
      : text(std::move(cell_text)), tone(cell_tone) {}
  Cell(const char* cell_text, Tone cell_tone = Tone::kPlain) : text(cell_text), tone(cell_tone) {}

  std::string text;
  Tone tone;
};

// Rows of printable cells in aligned columns, two spaces apart. The first row is the heading.
class Table {
 public:
  explicit Table(const std::vector<std::string>& heading)
      : rows_{{heading.begin(), heading.end()}} {}
  // As many cells as the heading has; made printable here.
  void Add(std::vector<Cell> cells);
  void Print(std::ostream& out, bool colours = false) const;

 private:
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_TEXT_H_
