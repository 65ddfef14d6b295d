// Text for a person's terminal.
#ifndef SIGNET_AGENT_CLI_TEXT_H_
#define SIGNET_AGENT_CLI_TEXT_H_

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace signet::cli {

// What comes from the agent may come from a token, and a token's label may hold anything. Control
// characters, characters that change the writing direction and bytes that are not UTF-8 become
// \xNN or \u{NN}, so that nothing printed can command the terminal or pass for something else.
std::string Printable(std::string_view text);

// As Printable, but newlines stay: for PEM.
std::string PrintableLines(std::string_view text);

// Rows of printable cells in aligned columns, two spaces apart. The first row is the heading.
class Table {
 public:
  explicit Table(std::vector<std::string> heading) { rows_.push_back(std::move(heading)); }
  // As many cells as the heading has; made printable here.
  void Add(const std::vector<std::string>& cells);
  void Print(std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_TEXT_H_
