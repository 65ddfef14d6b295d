#include "ipc/audit/trail_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace signet::audit {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "audit-";
constexpr std::string_view kSuffix = ".jsonl";

absl::Status Failure(const fs::path& path, const char* operation, int error) {
  const std::string what =
      absl::StrCat(path.native(), ": ", operation, ": ", std::generic_category().message(error));
  if (error == EACCES || error == EPERM) {
    return absl::PermissionDeniedError(
        absl::StrCat(what, "; read it as the user who runs the agent, or as root"));
  }
  return absl::InternalError(what);
}

bool HasFirstSeq(const std::string& name, uint64_t& first_seq) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return false;
  const std::string digits =
      name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  return absl::SimpleAtoi(digits, &first_seq) && name == TrailFileName(first_seq);
}

}  // namespace

std::string TrailFileName(uint64_t first_seq) {
  return absl::StrFormat("audit-%012d.jsonl", first_seq);  // kPrefix and kSuffix
}

absl::StatusOr<std::vector<TrailFile>> ListTrail(const fs::path& folder) {
  std::vector<TrailFile> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    uint64_t first_seq = 0;
    if (HasFirstSeq(entry->path().filename(), first_seq)) {
      files.push_back({entry->path(), first_seq});
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Failure(folder, "list", error.value());
  }
  std::ranges::sort(files, {}, &TrailFile::first_seq);
  return files;
}

absl::StatusOr<std::string> ReadTrailFile(const fs::path& file) {
  // A link or a pipe in its place is not followed and not waited for.
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return Failure(file, "open", errno);
  struct stat status {};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(fd);
    return absl::InternalError(absl::StrCat(file.native(), ": read: not a regular file"));
  }
  std::string content;
  char buffer[64 * 1024];
  ssize_t count = 0;
  do {
    count = read(fd, buffer, sizeof(buffer));
    if (count > 0) content.append(buffer, static_cast<size_t>(count));
  } while (count > 0 || (count < 0 && errno == EINTR));
  const int error = errno;
  close(fd);
  if (count < 0) return Failure(file, "read", error);
  return content;
}

std::vector<Line> LinesOf(std::string_view content) {
  std::vector<Line> lines;
  while (!content.empty()) {
    const size_t end = content.find('\n');
    lines.push_back({content.substr(0, end), lines.size() + 1, end != std::string_view::npos});
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
  }
  return lines;
}

}  // namespace signet::audit
