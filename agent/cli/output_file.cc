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

const char* Advice(int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return full ? "; make room there, or name another file" : "; name another file";
}

absl::Status Failed(const std::string& path, const char* step, int error) {
  return absl::UnknownError(
      absl::StrCat("file ", path, ": ", step, ": ", std::strerror(error), Advice(error)));
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

// What may become the file of that path. Removed again unless it did.
class Replacement {
 public:
  explicit Replacement(const std::string& path) : path_(path), target_(path) {}
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;
  ~Replacement() {
    if (file_.valid()) unlink(temporary_.c_str());
  }

  absl::Status Write(std::string_view content, FileReaders readers) {
    std::error_code error;
    if (const auto status = std::filesystem::status(path_, error);
        std::filesystem::exists(status)) {
      if (!std::filesystem::is_regular_file(status)) {
        return absl::UnknownError(
            absl::StrCat("file ", path_, ": it is no regular file; name another file"));
      }
      target_ = std::filesystem::canonical(path_, error).native();
      if (error) return Failed(path_, "resolve", error.value());
    }
    temporary_ = absl::StrCat(target_, ".XXXXXX");
    file_ = ipc::Descriptor(mkostemp(temporary_.data(), O_CLOEXEC));
    if (!file_.valid()) return Failed(path_, "create", errno);
    const int failure = Fill(file_.get(), content, readers);
    return failure == 0 ? absl::OkStatus() : Failed(path_, "write", failure);
  }
  absl::Status TakePlace() {
    if (rename(temporary_.c_str(), target_.c_str()) != 0) return Failed(path_, "write", errno);
    file_.Reset();
    return absl::OkStatus();
  }

 private:
  const std::string& path_;
  std::string target_;  // behind the symbolic links
  std::string temporary_;
  ipc::Descriptor file_;  // valid = the temporary file is there
};

}  // namespace

absl::Status ReplaceFile(const std::string& path, std::string_view content, FileReaders readers) {
  Replacement replacement(path);
  absl::Status written = replacement.Write(content, readers);
  return written.ok() ? replacement.TakePlace() : written;
}

absl::Status CheckReplaceable(const std::string& path, size_t size) {
  return Replacement(path).Write(std::string(size, '\n'), FileReaders::kOwner);
}

}  // namespace signet::cli
