#include "agent/front/agent_session.h"

#include <fcntl.h>

#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/front/messages.h"
#include "ipc/wire/framing.h"

namespace signet::agent {
namespace {

v1::AgentMessage ErrorMessage(uint64_t id, v1::Error error) {
  v1::AgentMessage message;
  message.set_id(id);
  *message.mutable_error() = std::move(error);
  return message;
}

wire::BytesView View(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Unlocking is an administrator's: each try counts against everybody's token.
Right RightFor(v1::ClientMessage::CallCase call) {
  switch (call) {
    case v1::ClientMessage::kAuthenticate:
    case v1::ClientMessage::kSign:
      return Right::kAuthenticate;
    case v1::ClientMessage::kUnlock:
      return Right::kAdminister;
    default:
      return Right::kUse;
  }
}

}  // namespace

AgentSession::AgentSession(ipc::MessageChannel channel, ipc::Peer peer, CallerLimits::Place place,
                           Gate& gate, AgentCalls& calls)
    : channel_(std::move(channel)),
      peer_(std::make_shared<const ipc::Peer>(std::move(peer))),
      place_(std::move(place)),
      gate_(gate),
      agent_calls_(calls),
      change_(channel_.executor()) {}

asio::awaitable<void> AgentSession::Run() {
  const auto self = shared_from_this();
  absl::Status end;
  while (end.ok()) {
    if (Full()) co_await WaitForRoom();
    absl::StatusOr<ipc::Message> message = co_await channel_.Receive();
    end = message.ok() ? Take(*std::move(message)) : message.status();
  }
  for (Call& call : calls_) Cancel(call);
  if (end.code() == absl::StatusCode::kInvalidArgument) {
    Answer(ErrorMessage(0, ToMessage(end)));
    Drain();
  } else {
    Close();  // the peer is gone, or silent in the middle of a message
  }
  while (!closed_) co_await Change();
}

// While nothing is read, the peer's end of the connection is watched all the same: there may be
// nobody left to answer.
asio::awaitable<void> AgentSession::WaitForRoom() {
  using Socket = asio::local::stream_protocol::socket;
  Socket hangup(channel_.executor());
  asio::error_code no_descriptor;
  hangup.assign({}, fcntl(channel_.native_handle(), F_DUPFD_CLOEXEC, 0), no_descriptor);
  hangup.async_wait(Socket::wait_error, [self = shared_from_this()](const asio::error_code& error) {
    if (!error) self->Close();
  });
  while (Full() && !closed_) co_await Change();
}

asio::awaitable<void> AgentSession::Change() {
  change_.expires_at(asio::steady_timer::time_point::max());
  asio::error_code cancelled;
  co_await change_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
}

absl::Status AgentSession::Take(ipc::Message received) {
  v1::ClientMessage message;
  if (!message.ParseFromArray(received.bytes.data(), static_cast<int>(received.bytes.size()))) {
    return absl::InvalidArgumentError("agent: received bytes that are no ClientMessage");
  }
  const auto in_flight = std::find_if(calls_.begin(), calls_.end(), [&](const Call& call) {
    return call.id == message.id() && !call.cancelled;
  });
  if (message.call_case() == v1::ClientMessage::kCancel) {
    if (in_flight != calls_.end()) Cancel(*in_flight);
    return absl::OkStatus();
  }
  if (in_flight != calls_.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("agent: call ", message.id(), " is still in flight; give each its own id"));
  }
  if (received.descriptor && message.call_case() != v1::ClientMessage::kUnlock) {
    return absl::InvalidArgumentError("agent: a descriptor came with a call that takes none");
  }
  if (ending_) {
    Answer(ErrorMessage(message.id(), ToMessage(absl::UnavailableError(
                                          "agent: it is stopping; connect again later"))));
    return absl::OkStatus();
  }
  absl::StatusOr<Admission> admission = gate_.Admit(peer_, RightFor(message.call_case()));
  if (admission.ok()) {
    Start(std::move(message), *std::move(admission), std::move(received.descriptor));
  } else {
    Answer(ErrorMessage(message.id(), ToMessage(admission.status())));
  }
  return absl::OkStatus();
}

void AgentSession::Start(v1::ClientMessage message, Admission admission,
                         std::optional<ipc::Descriptor> pin) {
  calls_.emplace_back(message.id());
  const auto call = std::prev(calls_.end());
  asio::co_spawn(
      channel_.executor(), Serve(std::move(message), std::move(admission), std::move(pin)),
      asio::bind_cancellation_slot(
          call->cancellation.slot(),
          [self = shared_from_this(), call](std::exception_ptr failure, v1::AgentMessage answer) {
            self->Finish(call, failure, std::move(answer));
          }));
}

asio::awaitable<v1::AgentMessage> AgentSession::Serve(v1::ClientMessage message,
                                                      Admission admission,
                                                      std::optional<ipc::Descriptor> pin) {
  v1::AgentMessage answer;
  answer.set_id(message.id());
  switch (message.call_case()) {
    case v1::ClientMessage::kAuthenticate:
      *answer.mutable_authenticate() = co_await agent_calls_.Authenticate(
          std::move(admission.caller), std::move(admission.process),
          std::move(*message.mutable_authenticate()));
      break;
    case v1::ClientMessage::kListIdentities:
      *answer.mutable_list_identities() =
          agent_calls_.ListIdentities(admission.caller, message.list_identities());
      break;
    case v1::ClientMessage::kSign:
      *answer.mutable_sign() =
          co_await agent_calls_.Sign(std::move(admission.caller), std::move(admission.process),
                                     std::move(*message.mutable_sign()));
      break;
    case v1::ClientMessage::kGetKey:
      *answer.mutable_get_key() = agent_calls_.GetKey(admission.caller, message.get_key());
      break;
    case v1::ClientMessage::kUnlock: {
      if (!pin) {
        *answer.mutable_error() = ToMessage(absl::InvalidArgumentError(
            "unlock: no pipe came with the call; send the read end of one that holds the PIN"));
        break;
      }
      const absl::Status unlocked = co_await agent_calls_.unlocking().Unlock(
          std::move(admission.caller), message.unlock().backend(), *std::move(pin),
          message.unlock().last_try() ? LastTry::kSpend : LastTry::kKeep);
      if (unlocked.ok()) {
        answer.mutable_unlock();
      } else {
        *answer.mutable_error() = ToUnlockMessage(unlocked);
      }
      break;
    }
    default:
      *answer.mutable_error() = ToMessage(
          absl::InvalidArgumentError("agent: a call that this version does not know; upgrade it"));
  }
  co_return answer;
}

void AgentSession::Finish(Calls::iterator call, std::exception_ptr failure,
                          v1::AgentMessage answer) {
  const bool wanted = !call->cancelled;
  const uint64_t id = call->id;
  calls_.erase(call);
  if (wanted && failure) {
    answer =
        ErrorMessage(id, ToMessage(absl::InternalError("agent: the call failed; see its log")));
  }
  if (wanted) Answer(answer);
  change_.cancel();
  if (ending_) Drain();
}

void AgentSession::Cancel(Call& call) {
  if (std::exchange(call.cancelled, true)) return;
  call.cancellation.emit(asio::cancellation_type::terminal);
}

void AgentSession::Answer(const v1::AgentMessage& answer) {
  if (closed_) return;
  std::string bytes = answer.SerializeAsString();
  if (bytes.size() > wire::kMaxMessageSize) {
    bytes = ErrorMessage(answer.id(), ToMessage(absl::OutOfRangeError(
                                          "agent: the answer is too large for agent.sock; ask "
                                          "over grpc.sock")))
                .SerializeAsString();
  }
  answers_.push_back(std::move(bytes));
  if (std::exchange(sending_, true)) return;
  asio::co_spawn(channel_.executor(), SendAnswers(), asio::detached);
}

asio::awaitable<void> AgentSession::SendAnswers() {
  const auto self = shared_from_this();
  while (!answers_.empty() && !closed_) {
    const absl::Status sent = co_await channel_.Send(View(answers_.front()));
    if (!sent.ok()) Close();
    if (closed_) co_return;
    answers_.pop_front();
    change_.cancel();
  }
  sending_ = false;
  if (ending_) Drain();
}

void AgentSession::Drain() {
  ending_ = true;
  if (calls_.empty() && answers_.empty()) Close();
}

void AgentSession::Close() {
  if (std::exchange(closed_, true)) return;
  for (Call& call : calls_) Cancel(call);
  change_.cancel();
  channel_.Close();
}

}  // namespace signet::agent
