#include "agent/cli/secret_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "ipc/transport/descriptor.h"

namespace signet::cli {
namespace {

constexpr size_t kMaxSecret = 64 * 1024;

// 0, or errno. No more than is too long.
int ReadAll(int file, std::string& content) {
  char chunk[4096];
  while (content.size() <= kMaxSecret) {
    const ssize_t got = read(file, chunk, sizeof(chunk));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) break;
    content.append(chunk, static_cast<size_t>(got));
  }
  return 0;
}

}  // namespace

absl::StatusOr<std::string> ReadSecret(const std::string& path, const std::string& what,
                                       Console& console) {
  const auto failed = [&](const char* why) {
    return absl::UnknownError(
        absl::StrCat(path == "-" ? "standard input" : absl::StrCat("file ", path), ": read: ", why,
                     "; it must hold the ", what, " in one line"));
  };
  ipc::Descriptor file;
  if (path != "-") {
    file = ipc::Descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return failed(std::strerror(errno));
  }
  std::string content;
  if (const int error = ReadAll(path == "-" ? console.in : file.get(), content)) {
    return failed(std::strerror(error));
  }
  absl::string_view line = content;
  absl::ConsumeSuffix(&line, "\n");
  absl::ConsumeSuffix(&line, "\r");
  if (line.empty()) return failed("it is empty");
  if (line.size() > kMaxSecret) return failed("it is too long");
  if (line.find('\n') != absl::string_view::npos) return failed("there are several lines");
  return std::string(line);
}

}  // namespace signet::cli
