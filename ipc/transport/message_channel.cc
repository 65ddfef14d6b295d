#include "ipc/transport/message_channel.h"

#include <sys/socket.h>

#include <asio/error.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "absl/strings/str_cat.h"

namespace signet::ipc {

MessageChannel::MessageChannel(asio::local::stream_protocol::socket socket,
                               std::chrono::steady_clock::duration stall_limit,
                               Descriptors descriptors)
    : socket_(std::move(socket)), stall_limit_(stall_limit), incoming_(descriptors) {}

asio::awaitable<absl::StatusOr<Message>> MessageChannel::Receive() {
  std::optional<TimeLimit> limit;
  for (;;) {
    if (incoming_.begun()) GiveUpAfterLimit(limit);
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
  std::optional<TimeLimit> limit;
  for (;;) {
    absl::StatusOr<Progress> progress = outgoing.SendSome(native_handle(), MSG_DONTWAIT);
    if (!progress.ok()) co_return stalled_ ? WaitFailure({}) : progress.status();
    if (*progress == Progress::kDone) co_return absl::OkStatus();
    if (*progress == Progress::kMoved) continue;
    GiveUpAfterLimit(limit);
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

asio::awaitable<bool> MessageChannel::WaitForInput() {
  asio::error_code error;
  co_await socket_.async_wait(asio::socket_base::wait_read,
                              asio::redirect_error(asio::use_awaitable, error));
  co_return error != asio::error::operation_aborted || !socket_.is_open();
}

void MessageChannel::Interrupt() {
  asio::error_code ignored;
  socket_.cancel(ignored);
}

void MessageChannel::GiveUpAfterLimit(std::optional<TimeLimit>& limit) {
  if (limit) return;
  limit.emplace(executor(), std::chrono::steady_clock::now() + stall_limit_, [this] {
    stalled_ = true;
    Close();
  });
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
