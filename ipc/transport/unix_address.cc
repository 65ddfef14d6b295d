#include "ipc/transport/unix_address.h"

#include <sys/socket.h>

#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace signet::ipc {

absl::StatusOr<sockaddr_un> UnixAddress(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("socket: the path is empty or holds a NUL; name a file");
  }
  if (path.size() >= sizeof address.sun_path) {
    return absl::InvalidArgumentError(
        absl::StrCat("socket ", path, ": the path has ", path.size(), " bytes and at most ",
                     sizeof address.sun_path - 1, " are possible; use a shorter folder"));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

}  // namespace signet::ipc
