// A listening socket in the file system.
#ifndef SIGNET_IPC_TRANSPORT_UNIX_LISTENER_H_
#define SIGNET_IPC_TRANSPORT_UNIX_LISTENER_H_

#include <sys/types.h>

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "ipc/transport/descriptor.h"

namespace signet::ipc {

// Owns the socket and the name it gave it: on destruction the file is removed, if it is still this
// socket's.
// One thread. Movable.
class UnixListener {
 public:
  static constexpr int kBacklog = 128;

  // `mode` is 0600 (the owner) or 0666 (everybody; what they may do is decided later). A socket
  // file on which nobody listens is replaced. Errors: kInvalidArgument for a path that does not
  // fit, kAlreadyExists when somebody listens there or the file is not a socket, else kUnavailable.
  // Two agents that start on one path in the same instant are not kept apart.
  static absl::StatusOr<UnixListener> Listen(const std::string& path, mode_t mode);

  // One that listens already, without blocking; its file stays whoever's it is.
  static UnixListener Adopt(Descriptor socket) { return {std::move(socket), "", 0, 0}; }

  UnixListener(UnixListener&& other) noexcept;
  UnixListener& operator=(UnixListener&& other) noexcept;
  ~UnixListener() { RemoveFile(); }

  const std::string& path() const { return path_; }
  int native_handle() const { return socket_.get(); }

  // Hands the socket to an acceptor that closes it itself; the file stays this object's to remove.
  Descriptor TakeSocket() { return std::move(socket_); }

 private:
  UnixListener(Descriptor socket, std::string path, dev_t device, ino_t inode);
  void RemoveFile();

  Descriptor socket_;
  std::string path_;  // empty when adopted or moved from
  dev_t device_;
  ino_t inode_;
};

}  // namespace signet::ipc

#endif  // SIGNET_IPC_TRANSPORT_UNIX_LISTENER_H_
