#include "ipc/transport/process_stat.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>

#include "absl/strings/str_cat.h"

namespace signet::ipc {
namespace {

// Fields of proc(5), counted from the one after the name.
constexpr int kParentField = 1;
constexpr int kStartTimeField = 19;
constexpr size_t kMaxStat = 4096;  // fifty numbers and a short name

template <typename Number>
bool ParseNumber(std::string_view text, Number& number) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && rest == text.data() + text.size();
}

}  // namespace

std::string ProcPath(pid_t pid, std::string_view name) {
  return absl::StrCat("/proc/", pid, "/", absl::string_view(name.data(), name.size()));
}

Descriptor OpenKernelFile(const std::string& path) {
  return Descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
}

std::optional<std::string> ReadKernelFile(const std::string& path, size_t most) {
  return ReadKernelFile(OpenKernelFile(path), most);
}

std::optional<std::string> ReadKernelFile(const Descriptor& file, size_t most) {
  if (!file.valid()) return std::nullopt;
  std::string content(most, '\0');
  size_t length = 0;
  while (length < most) {
    const ssize_t count =
        pread(file.get(), content.data() + length, most - length, static_cast<off_t>(length));
    if (count < 0) return std::nullopt;
    if (count == 0) break;
    length += static_cast<size_t>(count);
  }
  content.resize(length);
  return content;
}

std::optional<ProcessStat> ParseProcessStat(std::string_view line) {
  // The name is in parentheses and may hold any byte but NUL, a parenthesis too.
  const size_t name_begin = line.find('(');
  const size_t name_end = line.rfind(") ");
  if (name_begin == std::string_view::npos || name_end == std::string_view::npos ||
      name_end < name_begin) {
    return std::nullopt;
  }
  ProcessStat stat;
  stat.name = line.substr(name_begin + 1, name_end - name_begin - 1);
  std::string_view fields = line.substr(name_end + 2);
  for (int field = 0; field <= kStartTimeField; ++field) {
    const size_t end = fields.find_first_of(" \n");
    const std::string_view value = fields.substr(0, end);
    if (field == kParentField && !ParseNumber(value, stat.parent)) return std::nullopt;
    if (field == kStartTimeField && !ParseNumber(value, stat.start_time)) return std::nullopt;
    if (end == std::string_view::npos) {
      fields = {};
    } else {
      fields.remove_prefix(end + 1);
    }
  }
  return stat;
}

std::optional<uid_t> EffectiveUidOfStatus(std::string_view status) {
  // "Uid:\treal\teffective\tsaved\tfile system"; a name can hold no newline here.
  constexpr std::string_view kUid = "\nUid:\t";
  const size_t begin = status.find(kUid);
  if (begin == std::string_view::npos) return std::nullopt;
  status.remove_prefix(begin + kUid.size());
  const size_t tab = status.find('\t');
  if (tab == std::string_view::npos) return std::nullopt;
  status.remove_prefix(tab + 1);
  uid_t uid;
  if (!ParseNumber(status.substr(0, status.find('\t')), uid)) return std::nullopt;
  return uid;
}

std::optional<ProcessStat> ReadProcessStat(pid_t pid) {
  const std::optional<std::string> line = ReadKernelFile(ProcPath(pid, "stat"), kMaxStat);
  return line ? ParseProcessStat(*line) : std::nullopt;
}

}  // namespace signet::ipc
