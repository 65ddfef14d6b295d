// Connects to a socket in the file system.
#ifndef SIGNET_IPC_TRANSPORT_UNIX_CONNECT_H_
#define SIGNET_IPC_TRANSPORT_UNIX_CONNECT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "ipc/transport/descriptor.h"

namespace signet::ipc {

enum class Connecting : uint8_t {
  kWaits,       // while the listener's queue is full
  kNeverWaits,  // it fails then; nor does the socket block later
};

// A close-on-exec stream socket, blocking unless it is to wait for nothing. kPermissionDenied when
// the file may not be opened, kInvalidArgument for a path that does not fit, kUnavailable when
// nobody listens; the message says what happened and leaves the next step to the caller.
absl::StatusOr<Descriptor> ConnectUnix(const std::string& path,
                                       Connecting connecting = Connecting::kWaits);

}  // namespace signet::ipc

#endif  // SIGNET_IPC_TRANSPORT_UNIX_CONNECT_H_
