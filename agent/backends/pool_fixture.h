// For tests: a BackendPool on a loop of its own, and the check that it leaves nothing behind.
#ifndef SIGNET_AGENT_BACKENDS_POOL_FIXTURE_H_
#define SIGNET_AGENT_BACKENDS_POOL_FIXTURE_H_

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/backends/backend_pool.h"

namespace signet::agent {

inline size_t OpenDescriptorCount() {
  using Folder = std::filesystem::directory_iterator;
  return static_cast<size_t>(std::distance(Folder("/proc/self/fd"), Folder()));
}

class PoolFixture : public ::testing::Test {
 protected:
  using Signature = absl::StatusOr<std::string>;
  static constexpr std::chrono::seconds kPatience{60};  // of the test itself

  PoolFixture() : descriptors_before_(OpenDescriptorCount()), loop_(std::in_place) {}

  ~PoolFixture() override {
    if (pool_) Run(Ended(pool_->Stop()));
    pool_.reset();
    loop_.reset();
    EXPECT_EQ(OpenDescriptorCount(), descriptors_before_);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
    EXPECT_EQ(errno, ECHILD);
  }

  BackendPool& StartPool(std::vector<BackendConfiguration> backends,
                         const std::filesystem::path& program, BackendLimits limits = {}) {
    const auto on_keys = [this](const std::string& backend, std::vector<FoundKey> keys) {
      keys_[backend] = std::move(keys);
      ++times_told_;
    };
    pool_.emplace(loop_->get_executor(), std::move(backends), program, on_keys, limits);
    pool_->Start();
    return *pool_;
  }

  static Deadline In(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
  }

  // The signature as text; "wrong" is a wrong one. A copy of the arguments stays in the coroutine.
  asio::awaitable<Signature> Sign(std::string backend, std::string message,
                                  Deadline deadline = In(kPatience)) {
    const KeyReference key{std::move(backend), {1, 2, 3}};
    const wire::Bytes bytes(message.begin(), message.end());
    SignatureCheck check = [](wire::BytesView, wire::BytesView signature) {
      return std::string(signature.begin(), signature.end()) != "wrong";
    };
    const absl::StatusOr<wire::Bytes> signature = co_await pool_->Sign(
        key, wire::SignatureScheme::kEcdsaSecp256r1Sha256, bytes, std::move(check), deadline);
    if (!signature.ok()) co_return signature.status();
    co_return std::string(signature->begin(), signature->end());
  }

  static asio::awaitable<bool> Ended(asio::awaitable<void> work) {
    co_await std::move(work);
    co_return true;
  }

  template <typename T>
  void Launch(asio::awaitable<T> work, std::optional<T>& result) {
    asio::co_spawn(
        *loop_,
        [](asio::awaitable<T> inner, std::optional<T>& out) -> asio::awaitable<void> {
          out.emplace(co_await std::move(inner));
        }(std::move(work), result),
        asio::detached);
  }

  void RunUntil(const std::function<bool()>& done) {
    const Deadline end = In(kPatience);
    loop_->restart();
    while (!done()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "what the test waits for did not come";
      loop_->run_one_for(std::chrono::milliseconds(5));
      if (loop_->stopped()) loop_->restart();
    }
  }

  // Runs what can run without waiting.
  void Settle() {
    loop_->restart();
    loop_->poll();
  }

  template <typename T>
  T Run(asio::awaitable<T> work) {
    std::optional<T> result;
    Launch(std::move(work), result);
    RunUntil([&] { return result.has_value(); });
    return std::move(result).value();
  }

  BackendStatus StatusOf(const std::string& name) const {
    for (BackendStatus& status : pool_->Statuses()) {
      if (status.name == name) return status;
    }
    ADD_FAILURE() << "no backend " << name;
    return {};
  }

  void RunUntilState(const std::string& name, BackendState state) {
    RunUntil([&] { return StatusOf(name).state == state; });
  }

  const size_t descriptors_before_;
  std::map<std::string, std::vector<FoundKey>> keys_;  // as told last, by backend
  size_t times_told_ = 0;
  std::optional<asio::io_context> loop_;
  std::optional<BackendPool> pool_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_BACKENDS_POOL_FIXTURE_H_
