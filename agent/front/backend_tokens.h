// The tokens of the configured backends.
#ifndef SIGNET_AGENT_FRONT_BACKEND_TOKENS_H_
#define SIGNET_AGENT_FRONT_BACKEND_TOKENS_H_

#include <string>
#include <utility>
#include <vector>

#include "agent/backends/backend_pool.h"
#include "agent/front/tokens.h"

namespace signet::agent {

// The pool outlives it.
class BackendTokens final : public Tokens {
 public:
  explicit BackendTokens(BackendPool& pool) : pool_(pool) {}

  std::vector<BackendStatus> Statuses() const override { return pool_.Statuses(); }
  asio::awaitable<absl::Status> Unlock(std::string backend, std::vector<wire::Bytes> keys,
                                       ipc::Descriptor pin, LastTry last_try,
                                       Deadline deadline) override {
    return pool_.Unlock(std::move(backend), std::move(keys), std::move(pin), last_try, deadline);
  }
  asio::awaitable<absl::Status> Lock(std::string backend, Deadline deadline) override {
    return pool_.Lock(std::move(backend), deadline);
  }
  asio::awaitable<void> LockAll(Deadline deadline) override { return pool_.LockAll(deadline); }

 private:
  BackendPool& pool_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_FRONT_BACKEND_TOKENS_H_
