#include "ipc/transport/message_channel.h"

#include <sys/socket.h>

#include <asio/error.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace signet::ipc {

// Closes the channel when the limit passes while the guard lives. The timer's handler may already
// be queued when the guard goes, so it asks a flag of its own before it touches the channel.
class MessageChannel::StallGuard {
 public:
  explicit StallGuard(MessageChannel& channel)
      : armed_(std::make_shared<bool>(true)), timer_(channel.executor(), channel.stall_limit_) {
    timer_.async_wait([armed = armed_, &channel](const asio::error_code& error) {
      if (error || !*armed) return;
      channel.stalled_ = true;
      channel.Close();
    });
  }
  StallGuard(const StallGuard&) = delete;
  StallGuard& operator=(const StallGuard&) = delete;
  ~StallGuard() { *armed_ = false; }

 private:
  std::shared_ptr<bool> armed_;
  asio::steady_timer timer_;
};

MessageChannel::MessageChannel(asio::local::stream_protocol::socket socket,
                               std::chrono::steady_clock::duration stall_limit)
    : socket_(std::move(socket)), stall_limit_(stall_limit) {}

asio::awaitable<absl::StatusOr<Message>> MessageChannel::Receive() {
  std::optional<StallGuard> guard;
  for (;;) {
    if (incoming_.begun() && !guard) guard.emplace(*this);
    asio::error_code error;
    co_await socket_.async_wait(asio::socket_base::wait_read,
                                asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return WaitFailure(error);
    for (;;) {
      absl::StatusOr<Progress> progress = incoming_.ReceiveSome(native_handle(), MSG_DONTWAIT);
      if (!progress.ok()) co_return progress.status();
      if (*progress == Progress::kDone) co_return incoming_.Take();
      if (*progress == Progress::kBlocked) break;
    }
  }
}

asio::awaitable<absl::Status> MessageChannel::Send(wire::BytesView bytes, int descriptor) {
  if (absl::Status status = CheckMessageSize(bytes.size()); !status.ok()) co_return status;
  OutgoingMessage outgoing(bytes, descriptor);
  std::optional<StallGuard> guard;
  for (;;) {
    absl::StatusOr<Progress> progress = outgoing.SendSome(native_handle(), MSG_DONTWAIT);
    if (!progress.ok()) co_return stalled_ ? WaitFailure({}) : progress.status();
    if (*progress == Progress::kDone) co_return absl::OkStatus();
    if (*progress == Progress::kMoved) continue;
    if (!guard) guard.emplace(*this);
    asio::error_code error;
    co_await socket_.async_wait(asio::socket_base::wait_write,
                                asio::redirect_error(asio::use_awaitable, error));
    if (error) {
      absl::Status failure = WaitFailure(error);
      if (outgoing.begun()) Close();
      co_return failure;
    }
  }
}

void MessageChannel::Close() {
  asio::error_code ignored;
  socket_.shutdown(asio::socket_base::shutdown_both, ignored);
  socket_.close(ignored);
}

absl::Status MessageChannel::WaitFailure(const asio::error_code& error) const {
  if (stalled_) {
    return absl::DeadlineExceededError(
        "connection: a message stopped half-way and the peer was given up; connect again");
  }
  if (error == asio::error::operation_aborted && socket_.is_open()) {
    return absl::CancelledError("connection: the wait was cancelled");
  }
  if (!socket_.is_open()) return absl::UnavailableError("connection: it was closed; connect again");
  return absl::UnavailableError(
      absl::StrCat("connection: wait: ", error.message(), "; connect again"));
}

}  // namespace signet::ipc
