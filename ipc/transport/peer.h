// Who is at the other end of a Unix socket, by the kernel's word.
#ifndef SIGNET_IPC_TRANSPORT_PEER_H_
#define SIGNET_IPC_TRANSPORT_PEER_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ipc/transport/descriptor.h"

namespace signet::ipc {

struct PeerExecutable {
  dev_t device = 0;
  ino_t inode = 0;
  std::string path;

  friend bool operator==(const PeerExecutable&, const PeerExecutable&) = default;
};

// Taken when the connection is accepted. `pidfd` pins the process: its pid can't be reused unseen.
struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  uint64_t start_time = 0;
  std::optional<PeerExecutable> executable;  // nothing when /proc/PID/exe can't be read
  Descriptor pidfd;
  // /proc/PID/status of a peer that is root, open so that it can be read when no descriptor is
  // left.
  Descriptor status;
};

// From SO_PEERCRED and SO_PEERPIDFD (kernel 6.5), else pidfd_open with the start time checked on
// both sides of it. kUnavailable when the process is already gone.
absl::StatusOr<Peer> IdentifyPeer(int socket);

// Before each use: the process still lives, so its pid is still its own, and it has the same
// effective user and runs the same file. kPermissionDenied says which of these no longer holds.
absl::Status CheckUnchanged(const Peer& peer);

}  // namespace signet::ipc

#endif  // SIGNET_IPC_TRANSPORT_PEER_H_
