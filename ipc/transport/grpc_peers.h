// Who calls over gRPC. gRPC 1.51 knows nothing of a Unix socket's peer, but names a connection that
// it was given as a descriptor "fd:N" (ServerContext::peer()); this is the table from that name to
// the Peer.
#ifndef SIGNET_IPC_TRANSPORT_GRPC_PEERS_H_
#define SIGNET_IPC_TRANSPORT_GRPC_PEERS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>

#include "absl/status/statusor.h"
#include "ipc/transport/descriptor.h"
#include "ipc/transport/peer.h"

namespace signet::ipc {

// A connection gets a descriptor number above those of its predecessors, so that the name of one
// that is gone does not soon name another caller: numbers repeat after about half of RLIMIT_NOFILE
// (at most kNumbers) connections; raise the soft limit to the hard one before making this object.
//
// An entry lives as long as its descriptor is this connection: the kernel's socket cookie, which it
// never gives out twice, tells whether gRPC has closed number N. Entries whose connection is gone
// are dropped at each Admit and Count; Find never returns them.
//
// Thread-safe.
class GrpcPeers {
 public:
  static constexpr int kNumbers = 64 * 1024;

  GrpcPeers();

  // Identifies the peer of a connection just accepted and gives the descriptor under which gRPC
  // must have it: grpc::AddInsecureChannelFromFd(server, Release()) at once. Errors as
  // IdentifyPeer's; kResourceExhausted when no number is free.
  absl::StatusOr<Descriptor> Admit(Descriptor connection);

  // The caller with this name; nothing when gRPC no longer has the connection. Ask once, when the
  // call starts, and keep the answer. Shared, because a call may outlive its connection.
  std::shared_ptr<const Peer> Find(std::string_view grpc_peer) const;

  // Connections that are open now: all, those of one user, or those of the users that `which` says.
  size_t Count();
  size_t Count(uid_t uid);
  size_t Count(const std::function<bool(uid_t)>& which);

 private:
  struct Entry {
    uint64_t cookie;
    std::shared_ptr<const Peer> peer;
  };

  Descriptor Duplicate(const Descriptor& connection);
  void Prune();

  const int first_;
  const int last_;
  mutable std::mutex mutex_;
  int next_;                      // guarded by mutex_
  std::map<int, Entry> entries_;  // guarded by mutex_; by descriptor number
};

}  // namespace signet::ipc

#endif  // SIGNET_IPC_TRANSPORT_GRPC_PEERS_H_
