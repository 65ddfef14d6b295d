#include "agent/folders.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace signet::agent {
namespace {

absl::Status Refusal(const std::filesystem::path& folder, const std::string& what) {
  return absl::FailedPreconditionError(absl::StrCat("folder ", folder.native(), ": ", what));
}

}  // namespace

absl::Status PrepareFolder(const std::filesystem::path& folder, mode_t mode) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return Refusal(folder, absl::StrCat("create: ", error.message(), "; check its parent"));

  const ipc::Descriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!opened.valid() || fstat(opened.get(), &status) != 0) {
    return Refusal(folder, absl::StrCat("open: ", std::strerror(errno), "; check its permissions"));
  }
  if (status.st_uid != geteuid()) {
    return Refusal(folder, absl::StrCat("belongs to uid ", status.st_uid, ", not to ", geteuid(),
                                        "; name another folder"));
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Refusal(folder, "its group or others may write to it; run: chmod go-w on it");
  }
  const mode_t present = status.st_mode & 07777;
  if ((present | mode) != present && fchmod(opened.get(), present | mode) != 0) {
    return Refusal(folder, absl::StrCat("chmod: ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

absl::StatusOr<ipc::Descriptor> LockFolder(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "signetd.lock";
  ipc::Descriptor lock(
      open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (lock.valid() && flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (lock.valid() && errno == EWOULDBLOCK) {
    return Refusal(folder, "another signetd is using it; stop that one or name another folder");
  }
  return Refusal(folder, absl::StrCat("lock: ", file.native(), ": ", std::strerror(errno)));
}

}  // namespace signet::agent
