#include "ipc/transport/unix_listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ipc/transport/unix_address.h"

namespace signet::ipc {
namespace {

absl::Status Failure(const std::string& path, const char* operation, const char* next_step) {
  return absl::UnavailableError(
      absl::StrCat("socket ", path, ": ", operation, ": ", std::strerror(errno), "; ", next_step));
}

Descriptor NewSocket() {
  return Descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

int Bind(const Descriptor& socket, const sockaddr_un& address) {
  return bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

// Makes room for bind where a file is in the way.
absl::Status RemoveStale(const std::string& path, const sockaddr_un& address) {
  struct stat file;
  if (lstat(path.c_str(), &file) != 0) {
    return errno == ENOENT ? absl::OkStatus() : Failure(path, "look at it", "check its folder");
  }
  if (!S_ISSOCK(file.st_mode)) {
    return absl::AlreadyExistsError(
        absl::StrCat("socket ", path, ": a file that is no socket is there; move it away"));
  }
  const Descriptor probe = NewSocket();
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
      errno != ECONNREFUSED) {
    // EAGAIN, a full backlog, is somebody too; for anything else it is not ours to remove.
    return absl::AlreadyExistsError(absl::StrCat("socket ", path,
                                                 ": another signetd is running on ", path,
                                                 "; stop it or use another folder"));
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return Failure(path, "remove the stale socket", "remove it yourself");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UnixListener> UnixListener::Listen(const std::string& path, mode_t mode) {
  absl::StatusOr<sockaddr_un> address = UnixAddress(path);
  if (!address.ok()) return address.status();
  Descriptor socket = NewSocket();
  if (!socket.valid()) return Failure(path, "create", "raise the limit of open files");
  // The file is made with the socket's mode: nobody else gets in before chmod below.
  if (fchmod(socket.get(), 0600) != 0) return Failure(path, "restrict", "check its folder");
  int bound = Bind(socket, *address);
  if (bound != 0 && errno == EADDRINUSE) {
    if (absl::Status status = RemoveStale(path, *address); !status.ok()) return status;
    bound = Bind(socket, *address);
  }
  if (bound != 0) return Failure(path, "bind", "check that its folder exists and is writable");

  struct stat file;
  if (lstat(path.c_str(), &file) != 0) return Failure(path, "look at it", "check its folder");
  UnixListener listener(std::move(socket), path, file.st_dev, file.st_ino);
  if (chmod(path.c_str(), mode) != 0) return Failure(path, "set its mode", "check its folder");
  if (listen(listener.native_handle(), kBacklog) != 0) {
    return Failure(path, "listen", "check its folder");
  }
  return listener;
}

UnixListener::UnixListener(Descriptor socket, std::string path, dev_t device, ino_t inode)
    : socket_(std::move(socket)), path_(std::move(path)), device_(device), inode_(inode) {}

UnixListener::UnixListener(UnixListener&& other) noexcept
    : socket_(std::move(other.socket_)),
      path_(std::exchange(other.path_, {})),
      device_(other.device_),
      inode_(other.inode_) {}

UnixListener& UnixListener::operator=(UnixListener&& other) noexcept {
  if (this == &other) return *this;
  RemoveFile();
  socket_ = std::move(other.socket_);
  path_ = std::exchange(other.path_, {});
  device_ = other.device_;
  inode_ = other.inode_;
  return *this;
}

void UnixListener::RemoveFile() {
  if (path_.empty()) return;
  struct stat file;
  if (lstat(path_.c_str(), &file) == 0 && file.st_dev == device_ && file.st_ino == inode_) {
    unlink(path_.c_str());
  }
}

}  // namespace signet::ipc
