#include "tests/support/fault_script.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <sstream>
#include <thread>
#include <utility>

namespace signet::test {
namespace {

constexpr std::chrono::milliseconds kLookAgain{10};

// Open and locked; closing it lets go of both.
class File {
 public:
  File(const char* path, int flags) : file_(open(path, flags | O_RDWR | O_CLOEXEC, 0600)) {
    if (file_ >= 0) flock(file_, LOCK_EX);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (file_ >= 0) close(file_);
  }

  std::string Read() const {
    struct stat status {};
    if (file_ < 0 || fstat(file_, &status) != 0) return "";
    std::string text(static_cast<size_t>(status.st_size), '\0');
    const ssize_t size = pread(file_, text.data(), text.size(), 0);
    text.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return text;
  }
  void Write(std::string_view text) const {
    if (ftruncate(file_, 0) != 0 ||
        pwrite(file_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
      abort();
    }
  }

 private:
  const int file_;
};

// One line.
struct Entry {
  std::string call;
  long skip = 0;
  long times = 0;
  std::string action;
  std::string value;

  static std::optional<Entry> Parse(const std::string& line) {
    Entry entry;
    std::istringstream words(line);
    words >> entry.call >> entry.skip >> entry.times >> entry.action;
    if (!words) return std::nullopt;
    words >> entry.value;
    return entry;
  }
  std::string Format() const {
    std::ostringstream line;
    line << call << ' ' << skip << ' ' << times << ' ' << action << ' ' << value << '\n';
    return line.str();
  }
  bool Fits(std::string_view name) const { return call == "*" || call == name; }
};

// A hang lasts until somebody else takes its line away.
bool IsHang(const Entry& entry) { return entry.action == "hang"; }

// Is a call of this name still to hang?
bool StillHangs(const std::string& text, std::string_view call) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::optional<Entry> entry = Entry::Parse(line);
    if (entry.has_value() && entry->Fits(call) && IsHang(*entry)) return true;
  }
  return false;
}

// The fault for this call, if there is one. What it leaves for later ones replaces `text`.
std::optional<Fault> Count(std::string& text, std::string_view call) {
  std::optional<Fault> fault;
  std::string left;
  std::istringstream lines(std::exchange(text, ""));
  for (std::string line; std::getline(lines, line);) {
    std::optional<Entry> entry = Entry::Parse(line);
    if (!entry.has_value()) continue;
    if (entry->Fits(call)) {
      if (entry->skip > 0) {
        --entry->skip;
      } else if (!fault.has_value()) {
        fault = Fault{entry->action, strtoull(entry->value.c_str(), nullptr, 0)};
        if (!IsHang(*entry) && entry->times > 0 && --entry->times == 0) continue;
      }
    }
    left += entry->Format();
  }
  text = left;
  return fault;
}

}  // namespace

std::optional<Fault> TakeFault(const char* path, std::string_view call) {
  if (path == nullptr) return std::nullopt;
  std::optional<Fault> fault;
  {
    const File file(path, 0);
    std::string text = file.Read();
    if (text.empty()) return std::nullopt;
    fault = Count(text, call);
    file.Write(text);
  }
  if (!fault.has_value()) return std::nullopt;
  if (fault->action == "crash") abort();
  if (fault->action == "hang") {
    while (StillHangs(ReadFaults(path), call)) std::this_thread::sleep_for(kLookAgain);
    return std::nullopt;
  }
  if (fault->action == "delay") {
    std::this_thread::sleep_for(std::chrono::milliseconds(fault->value));
    return std::nullopt;
  }
  return fault;
}

void WriteFaults(const std::string& path, std::string_view lines) {
  File(path.c_str(), O_CREAT).Write(lines);
}

std::string ReadFaults(const std::string& path) { return File(path.c_str(), 0).Read(); }

}  // namespace signet::test
