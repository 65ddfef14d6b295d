// The address of a socket in the file system.
#ifndef SIGNET_IPC_TRANSPORT_UNIX_ADDRESS_H_
#define SIGNET_IPC_TRANSPORT_UNIX_ADDRESS_H_

#include <sys/un.h>

#include <string>

#include "absl/status/statusor.h"

namespace signet::ipc {

// kInvalidArgument for a path that is empty, holds a NUL or does not fit sun_path (107 bytes).
absl::StatusOr<sockaddr_un> UnixAddress(const std::string& path);

}  // namespace signet::ipc

#endif  // SIGNET_IPC_TRANSPORT_UNIX_ADDRESS_H_
