#include "agent/caller/reading_threads.h"

#include <fcntl.h>
#include <sys/eventfd.h>

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "ipc/transport/descriptor.h"

namespace signet::agent {
namespace {

// What a thread leaves behind. Shared, since either side may be the last.
struct Reading {
  std::atomic<bool> given_up = false;
  std::atomic<bool> there = false;
  absl::StatusOr<std::string> result;  // the thread's until it is there
};

}  // namespace

asio::awaitable<absl::StatusOr<std::string>> ReadingThreads::Run(Work work,
                                                                 std::chrono::milliseconds time) {
  if (*running_ >= most_) {
    co_return absl::ResourceExhaustedError("caller: too many of them are being read; try again");
  }
  const auto executor = co_await asio::this_coro::executor;
  ipc::Descriptor done(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  ipc::Descriptor threads_done(fcntl(done.get(), F_DUPFD_CLOEXEC, 0));
  if (!threads_done.valid()) {
    co_return absl::ResourceExhaustedError("caller: no descriptor is free; try again");
  }
  const auto reading = std::make_shared<Reading>();
  ++*running_;
  try {
    std::thread([reading, work = std::move(work), running = running_,
                 end = std::move(threads_done)]() mutable {
      reading->result = work(reading->given_up);
      work = nullptr;  // with what it holds, before anybody is told
      reading->there = true;
      --*running;
      eventfd_write(end.get(), 1);
    }).detach();
  } catch (const std::system_error&) {
    --*running_;
    co_return absl::ResourceExhaustedError("caller: no thread is free; try again");
  }

  asio::posix::stream_descriptor told(executor, done.Release());
  asio::steady_timer limit(executor, time);
  asio::error_code ignored, too_late;
  // Whichever way this ends, cancelled too, nobody waits for the thread.
  struct GiveUp {
    const std::shared_ptr<Reading>& reading;
    ~GiveUp() { reading->given_up = true; }
  } give_up{reading};
  using asio::experimental::awaitable_operators::operator||;
  co_await (told.async_wait(asio::posix::stream_descriptor::wait_read,
                            asio::redirect_error(asio::use_awaitable, ignored)) ||
            limit.async_wait(asio::redirect_error(asio::use_awaitable, too_late)));
  if (!reading->there) {
    co_return absl::DeadlineExceededError("caller: it can't be read in time");
  }
  co_return std::move(reading->result);
}

}  // namespace signet::agent
