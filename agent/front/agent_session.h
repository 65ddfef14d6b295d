// One connection to agent.sock: ClientMessage in, AgentMessage out (ipc/agent.proto).
//
// Calls overlap; answers carry the id of their call and go out as they are ready. What breaks the
// protocol (no protobuf message, an oversized one, an id in use, a descriptor that no call wants)
// is answered with one Error of id 0 and ends the connection. The peer's going away cancels its
// calls.
#ifndef SIGNET_AGENT_FRONT_AGENT_SESSION_H_
#define SIGNET_AGENT_FRONT_AGENT_SESSION_H_

#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "agent/front/agent_calls.h"
#include "agent/front/caller_limits.h"
#include "agent/front/gate.h"
#include "ipc/agent.pb.h"
#include "ipc/transport/message_channel.h"
#include "ipc/transport/peer.h"

namespace signet::agent {

// Loop thread only. Shared, because the reading, each call and the sending are coroutines of their
// own and the last to end takes the session with it. Gate and calls outlive it.
class AgentSession : public std::enable_shared_from_this<AgentSession> {
 public:
  // Calls being worked on plus answers not yet sent. At the limit we stop reading.
  static constexpr size_t kMaxCalls = 32;

  AgentSession(ipc::MessageChannel channel, ipc::Peer peer, CallerLimits::Place place, Gate& gate,
               AgentCalls& calls);

  // Serves until the connection is closed, by either side.
  asio::awaitable<void> Run();

  // Takes no new call; the connection closes once those in flight are answered.
  void Drain();

  // At once: calls are cancelled, answers dropped.
  void Close();

 private:
  struct Call {
    uint64_t id;
    bool cancelled = false;
    asio::cancellation_signal cancellation = {};
  };
  using Calls = std::list<Call>;

  bool Full() const { return calls_.size() + answers_.size() >= kMaxCalls; }
  asio::awaitable<void> WaitForRoom();
  asio::awaitable<void> Change();  // of what is in flight

  // The error, if any, ends the connection.
  absl::Status Take(ipc::Message message);
  void Start(v1::ClientMessage message, Admission admission, std::optional<ipc::Descriptor> pin);
  asio::awaitable<v1::AgentMessage> Serve(v1::ClientMessage message, Admission admission,
                                          std::optional<ipc::Descriptor> pin);
  void Finish(Calls::iterator call, std::exception_ptr failure, v1::AgentMessage answer);
  void Cancel(Call& call);

  void Answer(const v1::AgentMessage& answer);
  asio::awaitable<void> SendAnswers();

  ipc::MessageChannel channel_;
  const std::shared_ptr<const ipc::Peer> peer_;  // shared with what the gate remembers
  const CallerLimits::Place place_;
  Gate& gate_;
  AgentCalls& agent_calls_;

  Calls calls_;
  std::deque<std::string> answers_;  // serialised; the first may be on its way
  bool sending_ = false;
  bool ending_ = false;  // no new calls; close when the last answer is sent
  bool closed_ = false;
  asio::steady_timer change_;  // cancelled when a call or an answer is done, and at the end
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_FRONT_AGENT_SESSION_H_
