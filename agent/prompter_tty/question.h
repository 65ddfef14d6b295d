// What a terminal shows and what a person types: all that the parts of this program share.
#ifndef SIGNET_AGENT_PROMPTER_TTY_QUESTION_H_
#define SIGNET_AGENT_PROMPTER_TTY_QUESTION_H_

#include <chrono>
#include <string>

#include "ipc/wire/secret.h"

namespace signet::prompter_tty {

// Every text is printable (agent/printable), with newlines between lines, and short enough for one
// line of the Assuan protocol (kMaxDescription).
struct Question {
  std::string description;
  std::string error;   // what was wrong with the answer before, empty = nothing
  std::string prompt;  // before what the person types; empty: a message, only one button
  std::string agree;   // the buttons
  std::string decline;
  std::chrono::seconds time{0};  // to answer
};

struct Answer {
  enum class Kind { kTyped, kDeclined, kTimedOut };
  Kind kind = Kind::kDeclined;
  wire::Secret typed;  // may be a PIN; empty: nothing was typed
};

}  // namespace signet::prompter_tty

#endif  // SIGNET_AGENT_PROMPTER_TTY_QUESTION_H_
