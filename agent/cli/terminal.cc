#include "agent/cli/terminal.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace signet::cli {

QuietTerminal::QuietTerminal(int terminal) : terminal_(terminal) {
  sigset_t ending;
  sigemptyset(&ending);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&ending, signal);
  sigset_t waiting = ending;
  sigaddset(&waiting, SIGTSTP);
  pthread_sigmask(SIG_BLOCK, &waiting, &mask_before_);
  signals_ = ipc::Descriptor(signalfd(-1, &ending, SFD_CLOEXEC));
  if (tcgetattr(terminal_, &before_) != 0) return;
  termios quiet = before_;
  quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHONL);
  changed_ = tcsetattr(terminal_, TCSAFLUSH, &quiet) == 0;
}

void QuietTerminal::Restore() {
  if (!signals_.valid()) return;
  if (changed_) tcsetattr(terminal_, TCSAFLUSH, &before_);
  signals_.Reset();
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

absl::Status QuietTerminal::WaitForInput() {
  if (!changed_) return absl::UnknownError("terminal: turn echo off: failed; use --pin-stdin");
  for (;;) {
    pollfd entries[] = {{terminal_, POLLIN, 0}, {signals_.get(), POLLIN, 0}};
    if (poll(entries, 2, -1) < 0) {
      if (errno == EINTR) continue;
      return absl::UnknownError("terminal: wait: failed; use --pin-stdin");
    }
    if (entries[1].revents != 0) {
      signalfd_siginfo signal{};
      if (read(signals_.get(), &signal, sizeof signal) != sizeof signal) continue;
      Restore();
      raise(static_cast<int>(signal.ssi_signo));
      return absl::CancelledError("PIN: a signal ended the question; no try was spent");
    }
    return absl::OkStatus();
  }
}

bool WantsColours(int descriptor) {
  const auto variable = [](const char* name) {
    const char* value = getenv(name);
    return std::string_view(value == nullptr ? "" : value);
  };
  const std::string_view type = variable("TERM");
  return isatty(descriptor) == 1 && variable("NO_COLOR").empty() && !type.empty() && type != "dumb";
}

bool AskYesNo(std::string_view question, Console& console) {
  console.err << question << " [y/N] " << std::flush;
  char answer = 0;
  while (read(console.in, &answer, 1) < 0 && errno == EINTR) {
  }
  return answer == 'y' || answer == 'Y';
}

bool AskForWord(std::string_view question, std::string_view word, Console& console) {
  console.err << question << std::flush;
  std::string line;
  for (char next = 0;;) {
    const ssize_t got = read(console.in, &next, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || next == '\n') break;
    if (line.size() <= word.size()) line.push_back(next);
  }
  return line == word;
}

}  // namespace signet::cli
