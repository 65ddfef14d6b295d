// Runs one coroutine to its end on an event loop of its own.
#ifndef SIGNET_TESTS_SUPPORT_RUN_AWAITABLE_H_
#define SIGNET_TESTS_SUPPORT_RUN_AWAITABLE_H_

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace signet::test {

// The coroutine's value; throws what it throws, and std::logic_error if it waits for what never
// comes.
template <typename T>
T RunAwaitable(asio::awaitable<T> awaitable) {
  asio::io_context loop;
  std::optional<T> result;
  std::exception_ptr failure;
  asio::co_spawn(loop, std::move(awaitable), [&](std::exception_ptr thrown, T value) {
    failure = thrown;
    result = std::move(value);
  });
  loop.run();
  if (failure) std::rethrow_exception(failure);
  if (!result) throw std::logic_error("the coroutine did not end");
  return *std::move(result);
}

}  // namespace signet::test

#endif  // SIGNET_TESTS_SUPPORT_RUN_AWAITABLE_H_
