// The tokens of the configured backends, and the other agents among these.
#ifndef SIGNET_AGENT_FRONT_BACKEND_TOKENS_H_
#define SIGNET_AGENT_FRONT_BACKEND_TOKENS_H_

#include <string>
#include <utility>
#include <vector>

#include "agent/backends/backend_pool.h"
#include "agent/front/tokens.h"
#include "agent/upstream/other_agents.h"

namespace signet::agent {

// Both outlive it.
class BackendTokens final : public Tokens {
 public:
  BackendTokens(BackendPool& pool, const OtherAgents& others) : pool_(pool), others_(others) {}

  std::vector<BackendStatus> Statuses() const override {
    std::vector<BackendStatus> statuses = pool_.Statuses();
    for (BackendStatus& status : others_.Statuses()) statuses.push_back(std::move(status));
    return statuses;
  }
  absl::Status CheckOurs(const std::string& backend) const override {
    return others_.CheckOurs(backend);
  }
  asio::awaitable<absl::Status> Unlock(std::string backend, std::vector<wire::Bytes> keys,
                                       ipc::Descriptor pin, LastTry last_try,
                                       Deadline deadline) override {
    if (absl::Status ours = CheckOurs(backend); !ours.ok()) co_return ours;
    co_return co_await pool_.Unlock(std::move(backend), std::move(keys), std::move(pin), last_try,
                                    deadline);
  }
  asio::awaitable<absl::Status> Lock(std::string backend, Deadline deadline) override {
    if (absl::Status ours = CheckOurs(backend); !ours.ok()) co_return ours;
    co_return co_await pool_.Lock(std::move(backend), deadline);
  }
  asio::awaitable<void> LockAll(Deadline deadline) override { return pool_.LockAll(deadline); }

 private:
  BackendPool& pool_;
  const OtherAgents& others_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_FRONT_BACKEND_TOKENS_H_
