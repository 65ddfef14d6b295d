// The lines of a question: one fact a line, whatever strangers put into it. Pure.
//
// A value never goes over its line's end, so that none can look like a line of ours, and what was
// left out shows as "...".
#ifndef SIGNET_AGENT_PROMPTER_TTY_LINES_H_
#define SIGNET_AGENT_PROMPTER_TTY_LINES_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace signet::prompter_tty {

// What a description may cost, so that SETDESC and it fit into an Assuan line (1000 bytes).
constexpr size_t kMaxDescription = 980;

// Bytes of `text` in an Assuan line.
size_t Cost(absl::string_view text);

// Which part of a long value says most.
enum class Keep { kBeginning, kEnd, kBoth };

class Lines {
 public:
  explicit Lines(size_t columns) : columns_(columns) {}

  // A sentence of ours, wrapped at its spaces.
  void Say(absl::string_view sentence);
  // "label: value" on one line; nothing when `value` is empty. `value` is a stranger's.
  void Add(absl::string_view label, absl::string_view value, Keep keep = Keep::kBoth);

  const std::string& text() const { return text_; }

 private:
  void AddLine(absl::string_view line);

  size_t columns_;
  std::string text_;
};

// `text`, made printable, in at most `columns` characters and about as many bytes.
std::string Shorten(absl::string_view text, size_t columns, Keep keep);

}  // namespace signet::prompter_tty

#endif  // SIGNET_AGENT_PROMPTER_TTY_LINES_H_
