#include "agent/cli/text.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace signet::cli {
namespace {

// Columns that a cell takes, near enough: its code points.
size_t Width(std::string_view cell) {
  return static_cast<size_t>(std::count_if(
      cell.begin(), cell.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

}  // namespace

std::string Toned(std::string_view printable, Tone tone, bool colours) {
  if (!colours || tone == Tone::kPlain) return std::string(printable);
  const std::string_view code = tone == Tone::kGood ? "32" : tone == Tone::kWait ? "33" : "31";
  return absl::StrFormat("\033[%sm%s\033[0m", code, printable);
}

void Table::Add(std::vector<Cell> cells) {
  for (Cell& cell : cells) cell.text = Printable(cell.text);
  cells.resize(rows_.front().size(), Cell(""));
  rows_.push_back(std::move(cells));
}

void Table::Print(std::ostream& out, bool colours) const {
  std::vector<size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i].text));
  }
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += Toned(row[i].text, row[i].tone, colours);
      line += std::string(widths[i] - Width(row[i].text) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  }
}

}  // namespace signet::cli
