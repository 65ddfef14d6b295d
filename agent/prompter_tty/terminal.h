// The terminal of a login session, while a person is asked on it.
#ifndef SIGNET_AGENT_PROMPTER_TTY_TERMINAL_H_
#define SIGNET_AGENT_PROMPTER_TTY_TERMINAL_H_

#include <sys/stat.h>
#include <termios.h>

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ipc/transport/descriptor.h"

namespace signet::prompter_tty {

// kPermissionDenied unless it is a character device of `owner` into which no other user may write,
// but for the group `tty` (write(1) and wall(1), which can only show text).
absl::Status CheckTerminal(const struct stat& device, uid_t owner);

// The kind of terminal (terminfo) that sits behind a device of this name. Nobody is asked: TERM is
// the caller's word.
absl::string_view TerminalType(absl::string_view path);

// Open, checked and as it was found again when it ends. While it lives its number can't be given to
// another session. One thread.
class Terminal {
 public:
  // `path` is below /dev. The message of an error names the path and says what to do next.
  static absl::StatusOr<Terminal> Open(const std::string& path);

  int descriptor() const { return device_.get(); }
  const std::string& path() const { return path_; }
  absl::string_view type() const { return TerminalType(path_); }
  // That a line of text may take.
  size_t columns() const;

  // What was typed before a question was seen answers nothing.
  void DropInput();
  // Puts back what a program left that was killed while it asked; `full_screen`: it used curses.
  void Restore(bool full_screen);
  // A line of ours; `text` is printable.
  void Say(absl::string_view text);

 private:
  Terminal(std::string path, ipc::Descriptor device, const termios& settings)
      : path_(std::move(path)), device_(std::move(device)), settings_(settings) {}
  void Write(absl::string_view bytes);

  std::string path_;
  ipc::Descriptor device_;
  termios settings_;
};

}  // namespace signet::prompter_tty

#endif  // SIGNET_AGENT_PROMPTER_TTY_TERMINAL_H_
