// Length-prefixed messages, with descriptors beside them, over a connected Unix stream socket; for
// coroutines on an Asio loop.
#ifndef SIGNET_IPC_TRANSPORT_MESSAGE_CHANNEL_H_
#define SIGNET_IPC_TRANSPORT_MESSAGE_CHANNEL_H_

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/local/stream_protocol.hpp>
#include <chrono>
#include <deque>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ipc/transport/descriptor.h"
#include "ipc/wire/bytes.h"
#include "ipc/wire/framing.h"

namespace signet::ipc {

struct Message {
  wire::Bytes bytes;
  std::optional<Descriptor> descriptor;  // the one that came with it, close-on-exec
};

// Owns the socket. One coroutine may receive and one may send at a time. A peer that starts a
// message and does not finish it, or does not read, is given up after kStallLimit.
class MessageChannel {
 public:
  static constexpr std::chrono::seconds kStallLimit{10};

  explicit MessageChannel(asio::local::stream_protocol::socket socket);

  // The next message. kOutOfRange at a clean end between messages; kInvalidArgument for an oversized
  // message or more than one descriptor; kDeadlineExceeded for a stalled one; kUnavailable when the
  // connection breaks. Waits for ever for a message to begin.
  asio::awaitable<absl::StatusOr<Message>> Receive();

  // Sends one message, and a copy of the descriptor with it when it is not negative.
  asio::awaitable<absl::Status> Send(wire::BytesView bytes, int descriptor = -1);

  // Ends both directions; a Receive or Send under way fails.
  void Close();

  int native_handle() { return socket_.native_handle(); }
  asio::any_io_executor executor() { return socket_.get_executor(); }

 private:
  asio::local::stream_protocol::socket socket_;
  wire::MessageReader reader_;
  std::deque<Descriptor> descriptors_;
};

}  // namespace signet::ipc

#endif  // SIGNET_IPC_TRANSPORT_MESSAGE_CHANNEL_H_
