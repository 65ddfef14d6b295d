// Length-prefixed messages, with descriptors beside them, over a connected Unix stream socket; for
// coroutines on an Asio loop.
#ifndef SIGNET_IPC_TRANSPORT_MESSAGE_CHANNEL_H_
#define SIGNET_IPC_TRANSPORT_MESSAGE_CHANNEL_H_

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/local/stream_protocol.hpp>
#include <chrono>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ipc/transport/message.h"
#include "ipc/transport/partial_message.h"
#include "ipc/transport/time_limit.h"
#include "ipc/wire/bytes.h"

namespace signet::ipc {

// Owns the socket; one thread. One coroutine may receive and one may send at a time, and both have
// ended before the channel moves or goes. A message, in either direction, that has begun and is not
// through within the stall limit closes the connection. Every message received costs one turn of
// the loop, so that a peer that floods us can't keep the loop to itself.
class MessageChannel {
 public:
  static constexpr std::chrono::seconds kStallLimit{10};

  explicit MessageChannel(asio::local::stream_protocol::socket socket,
                          std::chrono::steady_clock::duration stall_limit = kStallLimit,
                          Descriptors descriptors = Descriptors::kTaken);

  // The next message. kOutOfRange at a clean end between messages; kInvalidArgument for an
  // oversized message or more than one descriptor; kDeadlineExceeded for a stalled one; kCancelled
  // when the coroutine is cancelled (the message is received by the next call); kUnavailable when
  // the connection breaks. Waits for ever for a message to begin.
  asio::awaitable<absl::StatusOr<Message>> Receive();

  // Sends one message, and a copy of the descriptor with it when it is not negative. The arguments
  // outlive the call. kInvalidArgument, and nothing sent, above wire::kMaxMessageSize. Cancelled
  // inside a message it closes the connection, which could not go on.
  asio::awaitable<absl::Status> Send(wire::BytesView bytes, int descriptor = -1);

  // Waits until a Receive would have something to do, the end of the connection included: true. An
  // Interrupt ends the wait: false. Instead of a Receive, with no Send under way.
  asio::awaitable<bool> WaitForInput();
  void Interrupt();

  // Ends both directions; a Receive or Send under way fails.
  void Close();

  int native_handle() { return socket_.native_handle(); }
  asio::any_io_executor executor() { return socket_.get_executor(); }

 private:
  void GiveUpAfterLimit(std::optional<TimeLimit>& limit);
  absl::Status WaitFailure(const asio::error_code& error) const;

  asio::local::stream_protocol::socket socket_;
  std::chrono::steady_clock::duration stall_limit_;
  bool stalled_ = false;
  IncomingMessage incoming_;
};

}  // namespace signet::ipc

#endif  // SIGNET_IPC_TRANSPORT_MESSAGE_CHANNEL_H_
