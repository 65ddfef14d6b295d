#include "ipc/transport/unix_connect.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ipc/transport/unix_address.h"

namespace signet::ipc {

absl::StatusOr<Descriptor> ConnectUnix(const std::string& path, Connecting connecting) {
  absl::StatusOr<sockaddr_un> address = UnixAddress(path);
  if (!address.ok()) return address.status();
  const int blocking = connecting == Connecting::kNeverWaits ? SOCK_NONBLOCK : 0;
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | blocking, 0));
  if (!socket.valid()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("socket ", path, ": create: ", std::strerror(errno)));
  }
  int result;
  do {
    result = connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return socket;
  const int error = errno;
  const char* why = error == EAGAIN ? "too many wait for it already" : std::strerror(error);
  const std::string what = absl::StrCat("socket ", path, ": connect: ", why);
  if (error == EACCES || error == EPERM) return absl::PermissionDeniedError(what);
  return absl::UnavailableError(what);
}

}  // namespace signet::ipc
