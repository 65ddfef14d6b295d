// Length-prefixed messages over a connected Unix stream socket, for programs that do one thing at a
// time: signet-backend and the CLI.
#ifndef SIGNET_IPC_TRANSPORT_BLOCKING_CHANNEL_H_
#define SIGNET_IPC_TRANSPORT_BLOCKING_CHANNEL_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ipc/transport/descriptor.h"
#include "ipc/transport/message.h"
#include "ipc/transport/partial_message.h"
#include "ipc/wire/bytes.h"

namespace signet::ipc {

using BlockingMessage = Message;

// Owns the socket, blocking or not; one thread. Errors as MessageChannel's, without the stall
// limit.
class BlockingChannel {
 public:
  explicit BlockingChannel(Descriptor socket) : socket_(std::move(socket)) {}
  // kUnavailable names the path and what to do when nobody listens there.
  static absl::StatusOr<BlockingChannel> Connect(const std::string& path);

  absl::StatusOr<BlockingMessage> Receive();
  // Waits until Receive has something to do, true, or until the other descriptor can be read from.
  bool WaitForInputOr(int other);
  absl::Status Send(wire::BytesView bytes, int descriptor = -1);

 private:
  Descriptor socket_;
  IncomingMessage incoming_;
};

}  // namespace signet::ipc

#endif  // SIGNET_IPC_TRANSPORT_BLOCKING_CHANNEL_H_
