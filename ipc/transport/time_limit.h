// Does something when a time has come, unless what it guards is over before.
#ifndef SIGNET_IPC_TRANSPORT_TIME_LIMIT_H_
#define SIGNET_IPC_TRANSPORT_TIME_LIMIT_H_

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

namespace signet::ipc {

// Lives on the stack of the coroutine that it limits, and on the loop's thread. `on_expiry` is
// called at most once, on the loop, and never after destruction.
class TimeLimit {
 public:
  TimeLimit(const asio::any_io_executor& executor, std::chrono::steady_clock::time_point end,
            std::function<void()> on_expiry)
      : alive_(std::make_shared<bool>(true)), timer_(executor, end) {
    // The handler may be queued already when the limit goes, so it asks a flag of its own.
    timer_.async_wait([alive = alive_, call = std::move(on_expiry)](const asio::error_code& error) {
      if (!error && *alive) call();
    });
  }
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;
  ~TimeLimit() { *alive_ = false; }

 private:
  std::shared_ptr<bool> alive_;
  asio::steady_timer timer_;
};

}  // namespace signet::ipc

#endif  // SIGNET_IPC_TRANSPORT_TIME_LIMIT_H_
