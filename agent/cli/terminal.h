// Asking a person on a terminal.
#ifndef SIGNET_AGENT_CLI_TERMINAL_H_
#define SIGNET_AGENT_CLI_TERMINAL_H_

#include <signal.h>
#include <termios.h>

#include <string_view>

#include "absl/status/status.h"
#include "agent/cli/console.h"
#include "ipc/transport/descriptor.h"

namespace signet::cli {

// While it lives the terminal echoes nothing, and signals that would end the program wait, so that
// none leaves the terminal mute. Borrows the descriptor. One thread, and no other threads beside
// it that could take the signals.
class QuietTerminal {
 public:
  explicit QuietTerminal(int terminal);
  ~QuietTerminal() { Restore(); }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;

  // Returns when there is something to read. A signal is obeyed, with the terminal restored; where
  // the program survives that, kCancelled.
  absl::Status WaitForInput();

 private:
  void Restore();

  int terminal_;
  bool changed_ = false;
  termios before_{};
  sigset_t mask_before_{};
  ipc::Descriptor signals_;
};

// Is it a terminal that knows colours ($TERM), and of a person who has not set $NO_COLOR
// (https://no-color.org)?
bool WantsColours(int descriptor);

// True for an answer that begins with y or Y. `console.in` is a terminal.
bool AskYesNo(std::string_view question, Console& console);

// Shows the question and tells whether the line typed next is that word. `console.in` is a
// terminal.
bool AskForWord(std::string_view question, std::string_view word, Console& console);

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_TERMINAL_H_
