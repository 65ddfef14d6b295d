// A message on its way through a socket, piece by piece: what MessageChannel and BlockingChannel
// share. Values that any one thread may use; the socket stays the caller's.
#ifndef SIGNET_IPC_TRANSPORT_PARTIAL_MESSAGE_H_
#define SIGNET_IPC_TRANSPORT_PARTIAL_MESSAGE_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ipc/transport/message.h"
#include "ipc/wire/framing.h"

namespace signet::ipc {

enum class Progress : uint8_t {
  kDone,     // the message is complete
  kMoved,    // some bytes went through: call again
  kBlocked,  // the socket has nothing now, or no room
};

// What becomes of a descriptor beside a message.
enum class Descriptors : uint8_t {
  kTaken,  // at most one for a message
  // The kernel drops them: they never enter this process. For peers that are not trusted: closing a
  // descriptor of theirs may block for as long as they like (FUSE, NFS).
  kDropped,
};

// Reads never cross the end of the message, so a descriptor belongs to the message in whose bytes
// its sender put it. Memory grows with what was received, not with what the prefix announces.
class IncomingMessage {
 public:
  explicit IncomingMessage(Descriptors descriptors = Descriptors::kTaken)
      : descriptors_(descriptors) {}

  // One recvmsg with `flags` (MSG_DONTWAIT or 0). kOutOfRange at a clean end between messages;
  // kInvalidArgument for an oversized message or more than one descriptor; kUnavailable when the
  // connection breaks. After an error every later call gives it again.
  absl::StatusOr<Progress> ReceiveSome(int socket, int flags);

  // The complete message; begins the next one.
  Message Take();

  bool begun() const { return received_ > 0; }

 private:
  absl::Status Read(int socket, int flags, uint8_t* to, size_t most, size_t& count);
  absl::Status Accept(size_t count);

  Descriptors descriptors_;
  absl::Status failure_;
  std::array<uint8_t, wire::kLengthPrefixSize> prefix_{};
  size_t received_ = 0;  // prefix included
  size_t length_ = 0;    // of the message, once the prefix is complete
  Message message_;
};

// The message's bytes and descriptor are the caller's and outlive this.
class OutgoingMessage {
 public:
  // At most wire::kMaxMessageSize bytes; `descriptor` is negative for none.
  OutgoingMessage(wire::BytesView bytes, int descriptor);

  // One sendmsg with `flags`. kUnavailable when the connection breaks.
  absl::StatusOr<Progress> SendSome(int socket, int flags);

  bool begun() const { return sent_ > 0; }

 private:
  std::array<uint8_t, wire::kLengthPrefixSize> prefix_{};
  wire::BytesView bytes_;
  int descriptor_;
  size_t sent_ = 0;  // prefix included
};

// kInvalidArgument when a message of `size` bytes can't be sent.
absl::Status CheckMessageSize(size_t size);

}  // namespace signet::ipc

#endif  // SIGNET_IPC_TRANSPORT_PARTIAL_MESSAGE_H_
