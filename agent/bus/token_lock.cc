#include "agent/bus/token_lock.h"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <utility>

namespace signet::agent {

void TokenLock::Lock(std::string why, Done done) {
  asio::co_spawn(loop_, LockAll(std::move(why), std::move(done)), asio::detached);
}

asio::awaitable<void> TokenLock::LockAll(std::string why, Done done) {
  co_await tokens_.LockAll(std::chrono::steady_clock::now() + kPatience);
  AuditRecord record;
  record.event = "lock";
  record.outcome = "done";
  record.detail = std::move(why);
  audit_.Write(record);
  done();
}

}  // namespace signet::agent
