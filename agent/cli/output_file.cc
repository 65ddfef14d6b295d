#include "agent/cli/output_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "ipc/transport/descriptor.h"

namespace signet::cli {
namespace {

absl::Status Failed(const std::string& path, const char* step, int error) {
  return absl::UnknownError(
      absl::StrCat("file ", path, ": ", step, ": ", std::strerror(error), "; name another file"));
}

// 0, or errno.
int WriteAll(int file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    content.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

int Fill(int file, std::string_view content, FileReaders readers) {
  const mode_t mask = umask(0);
  umask(mask);
  if (const int error = WriteAll(file, content)) return error;
  const mode_t mode = readers == FileReaders::kOwner ? 0600 : 0666 & ~mask;
  return fchmod(file, mode) != 0 || fsync(file) != 0 ? errno : 0;
}

}  // namespace

absl::Status ReplaceFile(const std::string& path, std::string_view content, FileReaders readers) {
  std::string target = path;
  std::error_code error;
  if (const auto status = std::filesystem::status(path, error); std::filesystem::exists(status)) {
    if (!std::filesystem::is_regular_file(status)) {
      return absl::UnknownError(
          absl::StrCat("file ", path, ": it is no regular file; name another file"));
    }
    target = std::filesystem::canonical(path, error).native();
    if (error) return Failed(path, "resolve", error.value());
  }
  std::string temporary = absl::StrCat(target, ".XXXXXX");
  const ipc::Descriptor file(mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.valid()) return Failed(path, "create", errno);
  int failure = Fill(file.get(), content, readers);
  if (failure == 0 && rename(temporary.c_str(), target.c_str()) != 0) failure = errno;
  if (failure == 0) return absl::OkStatus();
  unlink(temporary.c_str());
  return Failed(path, "write", failure);
}

}  // namespace signet::cli
