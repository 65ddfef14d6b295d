#include "agent/front/agent_sessions.h"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>
#include <vector>

#include "agent/front/accepting.h"
#include "agent/front/messages.h"
#include "ipc/transport/message_channel.h"
#include "ipc/transport/peer.h"

namespace signet::agent {
namespace {

// One that is not served is told why, if it listens; it is not read from.
asio::awaitable<void> TurnAway(asio::local::stream_protocol::socket connection, absl::Status why) {
  v1::AgentMessage message;
  *message.mutable_error() = ToMessage(why);
  const std::string bytes = message.SerializeAsString();
  ipc::MessageChannel channel(std::move(connection), ipc::MessageChannel::kStallLimit,
                              ipc::Descriptors::kDropped);
  const absl::Status sent =
      co_await channel.Send({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  sent.IgnoreError();  // it need not listen
}

}  // namespace

AgentSessions::AgentSessions(asio::any_io_executor loop, Gate& gate, AgentCalls& calls)
    : loop_(loop), gate_(gate), calls_(calls), acceptor_(loop), stopped_(loop) {}

void AgentSessions::Listen(ipc::UnixListener listener) {
  listener_ = std::move(listener);
  acceptor_.assign({}, listener_->TakeSocket().Release());
  asio::co_spawn(
      loop_,
      AcceptConnections(acceptor_, [this](auto connection) { Serve(std::move(connection)); }),
      asio::detached);
}

void AgentSessions::Serve(asio::local::stream_protocol::socket connection) {
  absl::StatusOr<ipc::Peer> peer = ipc::IdentifyPeer(connection.native_handle());
  if (!peer.ok()) {  // gone before it asked anything, or no descriptor is left to look at it
    asio::co_spawn(loop_, TurnAway(std::move(connection), peer.status()), asio::detached);
    return;
  }
  std::optional<CallerLimits::Place> place = gate_.TakeConnection(peer->uid);
  if (!place) {
    absl::Status why =
        absl::ResourceExhaustedError("agent: too many connections; close some of yours");
    asio::co_spawn(loop_, TurnAway(std::move(connection), std::move(why)), asio::detached);
    return;
  }
  // Only administrators unlock, and so have a descriptor to send.
  const auto descriptors = gate_.Has(peer->uid, Right::kAdminister) ? ipc::Descriptors::kTaken
                                                                    : ipc::Descriptors::kDropped;
  ipc::MessageChannel channel(std::move(connection), ipc::MessageChannel::kStallLimit, descriptors);
  auto session = std::make_shared<AgentSession>(std::move(channel), *std::move(peer),
                                                *std::move(place), gate_, calls_);
  sessions_.insert(session);
  asio::co_spawn(loop_, Run(std::move(session)), asio::detached);
}

asio::awaitable<void> AgentSessions::Run(std::shared_ptr<AgentSession> session) {
  co_await session->Run();
  sessions_.erase(session);
  if (sessions_.empty()) stopped_.cancel();
}

asio::awaitable<void> AgentSessions::Stop(Deadline deadline) {
  listener_.reset();
  asio::error_code ignored;
  acceptor_.close(ignored);
  for (const auto& session : sessions_) session->Drain();
  stopped_.expires_at(deadline);
  if (!sessions_.empty()) {
    co_await stopped_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  for (const auto& session : sessions_) session->Close();
  stopped_.expires_at(Deadline::max());
  if (!sessions_.empty()) {
    co_await stopped_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

}  // namespace signet::agent
