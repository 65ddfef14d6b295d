#include "agent/prompter_tty/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace signet::prompter_tty {
namespace {

constexpr gid_t kTtyGroup = 5;  // Debian policy section 9.2.2: a fixed number

// A line of text takes at most this much, and a window's frame takes some of a narrow terminal.
constexpr size_t kMostColumns = 72;
constexpr size_t kFewestColumns = 40;
constexpr size_t kFrame = 8;

absl::Status Failed(const std::string& path, const char* operation) {
  return absl::FailedPreconditionError(absl::StrCat("terminal ", path, ": ", operation, ": ",
                                                    strerror(errno),
                                                    "; log in again, or ask from a desktop"));
}

}  // namespace

absl::Status CheckTerminal(const struct stat& device, uid_t owner) {
  const auto refused = [](absl::string_view why) {
    return absl::PermissionDeniedError(
        absl::StrCat(why, ", so nobody is asked there; log in again, or ask from a desktop"));
  };
  if (!S_ISCHR(device.st_mode)) return refused("not a terminal");
  if (device.st_uid != owner) return refused("belongs to another user");
  if ((device.st_mode & S_IWOTH) != 0) return refused("every user may write to it");
  if ((device.st_mode & (S_IRGRP | S_IROTH)) != 0) return refused("other users may read from it");
  if ((device.st_mode & S_IWGRP) != 0 && device.st_gid != kTtyGroup) {
    return refused("a group other than tty may write to it");
  }
  return absl::OkStatus();
}

absl::string_view TerminalType(absl::string_view path) {
  if (absl::StartsWith(path, "/dev/pts/")) return "xterm";
  constexpr absl::string_view kConsole = "/dev/tty";  // and a digit
  if (absl::StartsWith(path, kConsole) && path.size() > kConsole.size() &&
      path[kConsole.size()] >= '0' && path[kConsole.size()] <= '9') {
    return "linux";
  }
  return "vt100";  // at a serial line may be anything
}

absl::StatusOr<Terminal> Terminal::Open(const std::string& path) {
  if (!absl::StartsWith(path, "/dev/") || absl::StrContains(path, "/..") ||
      path.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") !=
          std::string::npos) {
    return absl::InvalidArgumentError("terminal: its path must be below /dev; see --help");
  }
  // Not ours to control, no waiting for a carrier, nothing behind a link.
  ipc::Descriptor device(
      open(path.c_str(), O_RDWR | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!device.valid()) return Failed(path, "open");
  struct stat status {};
  if (fstat(device.get(), &status) != 0) return Failed(path, "fstat");
  if (absl::Status check = CheckTerminal(status, getuid()); !check.ok()) {
    return absl::Status(check.code(), absl::StrCat("terminal ", path, ": ", check.message()));
  }
  termios settings{};
  if (tcgetattr(device.get(), &settings) != 0) return Failed(path, "tcgetattr");
  return Terminal(path, std::move(device), settings);
}

size_t Terminal::columns() const {
  winsize size{};
  if (ioctl(device_.get(), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kMostColumns;
  const size_t columns = size.ws_col;
  return std::clamp(columns - std::min(columns, kFrame), kFewestColumns, kMostColumns);
}

void Terminal::DropInput() { tcflush(device_.get(), TCIFLUSH); }

void Terminal::Write(absl::string_view bytes) {
  // A terminal that is stopped (^S) takes nothing: then nothing is shown.
  while (!bytes.empty()) {
    const ssize_t count = write(device_.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

void Terminal::Restore(bool full_screen) {
  // What was typed of a PIN must not end on a command line. TCSANOW would keep it, TCSAFLUSH would
  // wait until a terminal that is stopped has shown everything.
  DropInput();
  tcsetattr(device_.get(), TCSANOW, &settings_);
  if (!full_screen) return Write("\r\n");
  // Colours off, cursor keys and keypad as usual, cursor visible; then the screen from before, or
  // where there is no second screen a clear one.
  Write("\033[m\033[?1l\033>\033[?25h");
  Write(type() == "xterm" ? "\033[?1049l\r" : "\033[H\033[J");
}

void Terminal::Say(absl::string_view text) { Write(absl::StrCat("\r", text, "\r\n")); }

}  // namespace signet::prompter_tty
