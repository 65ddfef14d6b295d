#include "agent/front/accepting.h"

#include <fcntl.h>

#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <utility>

namespace signet::agent {
namespace {

constexpr std::chrono::milliseconds kPause{100};

}  // namespace

asio::awaitable<void> AcceptConnections(
    asio::local::stream_protocol::acceptor& acceptor,
    std::function<void(asio::local::stream_protocol::socket)> serve) {
  const auto executor = acceptor.get_executor();
  for (;;) {
    asio::error_code error;
    asio::local::stream_protocol::socket connection =
        co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted) co_return;  // closed; the acceptor may be gone
    if (!error) {
      fcntl(connection.native_handle(), F_SETFD, FD_CLOEXEC);  // Asio does not
      serve(std::move(connection));
      continue;
    }
    asio::steady_timer pause(executor, kPause);
    co_await pause.async_wait(asio::use_awaitable);
    if (!acceptor.is_open()) co_return;
  }
}

}  // namespace signet::agent
