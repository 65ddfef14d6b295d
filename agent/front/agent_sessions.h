// agent.sock: one AgentSession per connection.
#ifndef SIGNET_AGENT_FRONT_AGENT_SESSIONS_H_
#define SIGNET_AGENT_FRONT_AGENT_SESSIONS_H_

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <set>

#include "agent/front/agent_calls.h"
#include "agent/front/agent_session.h"
#include "agent/front/caller_limits.h"
#include "agent/front/gate.h"
#include "ipc/transport/unix_listener.h"

namespace signet::agent {

// Loop thread only. All references outlive it; it outlives the loop's last turn.
class AgentSessions {
 public:
  AgentSessions(asio::any_io_executor loop, Gate& gate, AgentCalls& calls);

  // Serves every connection that comes in until Drain or Close.
  void Listen(ipc::UnixListener listener);

  // Serves one connection; its peer is identified here and now.
  void Serve(asio::local::stream_protocol::socket connection);

  // Stops listening and takes no new call; connections close as their calls are answered, and at
  // the deadline at once. Ends when all are closed.
  asio::awaitable<void> Stop(Deadline deadline);

  size_t open() const { return sessions_.size(); }

 private:
  asio::awaitable<void> Run(std::shared_ptr<AgentSession> session);

  asio::any_io_executor loop_;
  Gate& gate_;
  AgentCalls& calls_;
  std::optional<ipc::UnixListener> listener_;  // removes the socket's file
  asio::local::stream_protocol::acceptor acceptor_;
  std::set<std::shared_ptr<AgentSession>> sessions_;
  asio::steady_timer stopped_;  // cancelled when the last session ends
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_FRONT_AGENT_SESSIONS_H_
