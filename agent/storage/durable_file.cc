#include "agent/storage/durable_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace signet::agent {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kUniqueSuffix = ".XXXXXX";  // mkostemp's

const char* Advice(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "; make room on its file system and try again";
    case EROFS:
      return "; mount its file system for writing and try again";
    case EACCES:
    case EPERM:
      return "; check who owns it and the permissions of its folders";
    case EMFILE:
    case ENFILE:
      return "; no descriptor is left: try again, or raise the limit (LimitNOFILE=)";
    default:
      return "";
  }
}

absl::Status ReadError(const fs::path& file, std::string_view operation, int error) {
  return FileError(file, operation, error, FileAccess::kRead);
}
absl::Status WriteError(const fs::path& file, std::string_view operation, int error) {
  return FileError(file, operation, error, FileAccess::kWrite);
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  // close() may report a write that failed late (NFS, quota).
  int Close() { return close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

// The temporary file beside its place; removed again unless it was renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(const fs::path& file)
      : path_(absl::StrCat((file.parent_path() / ".").native(), file.filename().native(),
                           kUniqueSuffix)),
        fd_(mkostemp(path_.data(), O_CLOEXEC)),
        exists_(fd_.get() >= 0) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (exists_) unlink(path_.c_str());
  }

  bool ok() const { return exists_; }
  bool Write(std::string_view content, mode_t mode) {
    if (fchmod(fd_.get(), mode) != 0) return false;
    while (!content.empty()) {
      const ssize_t written = write(fd_.get(), content.data(), content.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return false;
      content.remove_prefix(static_cast<size_t>(written));
    }
    return fsync(fd_.get()) == 0 && fd_.Close() == 0;
  }
  bool RenameTo(const fs::path& file) {
    if (rename(path_.c_str(), file.c_str()) != 0) return false;
    exists_ = false;
    return true;
  }

 private:
  std::string path_;
  FileDescriptor fd_;
  bool exists_;
};

fs::path FolderOf(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

}  // namespace

absl::Status FileError(const fs::path& file, std::string_view operation, int error,
                       FileAccess access) {
  absl::StatusCode code = absl::StatusCode::kInternal;
  if (error == ENOENT) code = absl::StatusCode::kNotFound;
  if (error == EACCES && access == FileAccess::kRead) code = absl::StatusCode::kPermissionDenied;
  return absl::Status(code, absl::StrCat(file.native(), ": ", std::string(operation), ": ",
                                         std::generic_category().message(error), Advice(error)));
}

absl::Status WriteFileDurably(const fs::path& file, std::string_view content, mode_t mode) {
  TemporaryFile temporary(FolderOf(file) / file.filename());
  if (!temporary.ok()) return WriteError(file, "create a temporary file beside it", errno);
  if (!temporary.Write(content, mode)) return WriteError(file, "write", errno);
  if (!temporary.RenameTo(file)) return WriteError(file, "rename into place", errno);
  return SyncFolder(FolderOf(file));
}

void RemoveTemporaryFiles(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    const size_t dot = name.rfind('.');
    std::error_code ignored;
    if (name.starts_with('.') && dot > 0 && name.size() - dot == kUniqueSuffix.size() &&
        entry->is_regular_file(ignored)) {
      fs::remove(entry->path(), ignored);
    }
  }
}

absl::StatusOr<std::string> ReadFile(const fs::path& file, size_t limit) {
  const FileDescriptor fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return ReadError(file, "open", errno);
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) return ReadError(file, "stat", errno);
  if (!S_ISREG(status.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(file.native(), ": read: not a regular file"));
  }
  std::string content;
  char buffer[16 * 1024];
  for (;;) {
    const ssize_t count = read(fd.get(), buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ReadError(file, "read", errno);
    if (count == 0) return content;
    content.append(buffer, static_cast<size_t>(count));
    if (content.size() > limit) {
      return absl::InvalidArgumentError(
          absl::StrCat(file.native(), ": read: larger than ", limit, " bytes"));
    }
  }
}

absl::Status SyncFolder(const fs::path& folder) {
  const FileDescriptor fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return WriteError(folder, "open", errno);
  if (fsync(fd.get()) != 0) return WriteError(folder, "fsync", errno);
  return absl::OkStatus();
}

}  // namespace signet::agent
