// Locks all tokens, for reasons that come over a bus.
#ifndef SIGNET_AGENT_BUS_TOKEN_LOCK_H_
#define SIGNET_AGENT_BUS_TOKEN_LOCK_H_

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <string>

#include "agent/audit/audit_log.h"
#include "agent/front/tokens.h"

namespace signet::agent {

// Loop thread only; the references outlive it, and it the loop's last turn.
class TokenLock {
 public:
  // logind lets the machine sleep after five seconds whatever we do (InhibitDelayMaxSec= in
  // logind.conf(5)).
  static constexpr std::chrono::milliseconds kPatience{3'000};

  TokenLock(const asio::any_io_executor& loop, Tokens& tokens, AuditLog& audit)
      : loop_(loop), tokens_(tokens), audit_(audit) {}

  // Begins. `why` goes to the records. `done` is called once, in a later turn of the loop, when no
  // token is unlocked any more: soon after kPatience at the latest.
  using Done = std::function<void()>;
  void Lock(std::string why, Done done);

 private:
  asio::awaitable<void> LockAll(std::string why, Done done);

  const asio::any_io_executor loop_;
  Tokens& tokens_;
  AuditLog& audit_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_BUS_TOKEN_LOCK_H_
