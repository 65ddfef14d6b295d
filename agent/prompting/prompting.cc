#include "agent/prompting/prompting.h"

#include <fcntl.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "agent/printable/printable.h"
#include "agent/prompting/account.h"
#include "agent/prompting/prompt_messages.h"
#include "ipc/transport/time_limit.h"

namespace signet::agent {
namespace {

namespace v1 = prompt::v1;

constexpr size_t kMaxExplanation = 256;  // of a prompter that can't show anything

// Fires when a process has ended.
using Ended = std::shared_ptr<asio::steady_timer>;

asio::awaitable<void> EndAndTell(std::unique_ptr<PrompterProcess> process, Ended ended) {
  co_await PrompterProcess::End(std::move(process));
  ended->expires_at(asio::steady_timer::clock_type::now());
}

// Ends the process whichever way the call ends, which does not wait for it.
class Run {
 public:
  Run(std::unique_ptr<PrompterProcess> process, Ended ended)
      : process_(std::move(process)), ended_(std::move(ended)) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() {
    const asio::any_io_executor executor = ended_->get_executor();
    asio::co_spawn(executor, EndAndTell(std::move(process_), std::move(ended_)), asio::detached);
  }

  ipc::MessageChannel& channel() { return process_->channel(); }

 private:
  std::unique_ptr<PrompterProcess> process_;
  Ended ended_;
};

asio::awaitable<absl::Status> Send(ipc::MessageChannel& channel, v1::ToPrompter message) {
  const std::string bytes = message.SerializeAsString();
  co_return co_await channel.Send({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
}

// What a prompter says; the PIN's pipe only with a Choose.
std::optional<v1::FromPrompter> Parse(const ipc::Message& message) {
  v1::FromPrompter parsed;
  if (!parsed.ParseFromArray(message.bytes.data(), static_cast<int>(message.bytes.size())) ||
      parsed.message_case() == v1::FromPrompter::MESSAGE_NOT_SET ||
      (message.descriptor && !parsed.has_choose())) {
    return std::nullopt;
  }
  return parsed;
}

Answer Left() { return Answer::Not(Answer::Kind::kLeft, "the person who was asked declined"); }

Answer Misbehaved() {
  return Answer::Not(Answer::Kind::kNobody,
                     "the prompter made no sense; is it of this version? see signetd's log");
}

Answer Gone() {
  return Answer::Not(Answer::Kind::kNobody,
                     "the prompter ended without an answer; see signetd's log");
}

Answer TooLate() {
  return Answer::Not(Answer::Kind::kTooLate,
                     "nobody answered the prompt in time; answer sooner, or allow more time");
}

// A message that comes while the token is busy with a PIN, which can only be that the person
// leaves.
Answer Interrupted(const absl::StatusOr<ipc::Message>& received) {
  if (!received.ok()) return Gone();
  const std::optional<v1::FromPrompter> message = Parse(*received);
  return message && message->has_leave() ? Left() : Misbehaved();
}

}  // namespace

Prompting::Prompting(asio::any_io_executor executor, std::filesystem::path programs,
                     FindPromptPlace place, TokenDesk& tokens)
    : executor_(std::move(executor)),
      programs_(std::move(programs)),
      place_(std::move(place)),
      tokens_(tokens) {}

asio::awaitable<Answer> Prompting::Ask(Prompt prompt, Settled) {
  const PromptPlace place = place_(prompt.caller);
  if (place.kind == PromptPlace::Kind::kNone) {
    co_return Answer::Not(Answer::Kind::kNobody, place.why_none);
  }
  const absl::StatusOr<Account> account = FindAccount(prompt.caller.uid);
  if (!account.ok()) {
    co_return Answer::Not(Answer::Kind::kNobody, std::string(account.status().message()));
  }
  for (;;) {
    std::optional<Answer> answer = co_await AskOnce(prompt, *account, place);
    if (answer) co_return *std::move(answer);
  }
}

void Prompting::TokensChanged() {
  for (ipc::MessageChannel* channel : waiting_) channel->Interrupt();
}

asio::awaitable<std::optional<Answer>> Prompting::AskOnce(Prompt& prompt, const Account& account,
                                                          const PromptPlace& place) {
  // The one before may still be putting a terminal in order.
  if (const auto before = ended_.find(prompt.caller.uid); before != ended_.end()) {
    const Ended end_of_it = before->second;
    asio::error_code ignored;
    co_await end_of_it->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  absl::StatusOr<std::unique_ptr<PrompterProcess>> started =
      PrompterProcess::Start(executor_, programs_, account, place);
  if (!started.ok()) {
    co_return Answer::Not(Answer::Kind::kNobody, std::string(started.status().message()));
  }
  const auto ended =
      std::make_shared<asio::steady_timer>(executor_, asio::steady_timer::time_point::max());
  ended_[prompt.caller.uid] = ended;
  Run run(*std::move(started), ended);
  bool late = false;
  const ipc::TimeLimit limit(executor_, prompt.deadline, [&] {
    late = true;
    run.channel().Close();
  });
  std::optional<Answer> answer = co_await Converse(prompt, run.channel());
  if (late) co_return TooLate();
  co_return answer;
}

std::optional<Answer> Prompting::LookAtTokens(Prompt& prompt, std::vector<bool>& locked) const {
  bool none_left = true;
  for (size_t i = 0; i < prompt.choices.size(); ++i) {
    Choice& choice = prompt.choices[i];
    const std::optional<BackendStatus> token = tokens_.StatusOf(choice.identity.key.backend);
    const bool failed = token && token->state == BackendState::kFailed;
    none_left = none_left && choice.wants_pin && !choice.asks && failed;
    if (!choice.wants_pin || !token) continue;
    if (locked[i] && token->state == BackendState::kReady) {
      if (!choice.asks) return Answer::Chosen(i);
      choice.wants_pin = false;
    }
    locked[i] = locked[i] || token->state == BackendState::kLocked;
  }
  if (!none_left) return std::nullopt;
  return Answer::Not(Answer::Kind::kNobody, "there is no token any more to take the PIN");
}

asio::awaitable<bool> Prompting::WaitForPerson(ipc::MessageChannel& channel) {
  struct Waiting {
    std::set<ipc::MessageChannel*>& all;
    ipc::MessageChannel* const one;
    ~Waiting() { all.erase(one); }
  } const waiting{waiting_, &channel};
  waiting_.insert(&channel);
  co_return co_await channel.WaitForInput();
}

asio::awaitable<std::optional<Answer>> Prompting::Converse(Prompt& prompt,
                                                           ipc::MessageChannel& channel) {
  std::vector<bool> locked(prompt.choices.size());
  if (auto answer = LookAtTokens(prompt, locked)) co_return answer;
  v1::ToPrompter show;
  *show.mutable_show() = ToShow(prompt, tokens_, std::chrono::steady_clock::now());
  absl::Status sent = co_await Send(channel, std::move(show));
  if (!sent.ok()) co_return Gone();
  for (;;) {
    const auto pins = std::ranges::count_if(prompt.choices, &Choice::wants_pin);
    if (auto answer = LookAtTokens(prompt, locked)) co_return answer;
    if (std::ranges::count_if(prompt.choices, &Choice::wants_pin) != pins) co_return std::nullopt;
    const bool input = co_await WaitForPerson(channel);
    if (!input) continue;
    absl::StatusOr<ipc::Message> received = co_await channel.Receive();
    if (!received.ok()) co_return Gone();
    const std::optional<v1::FromPrompter> message = Parse(*received);
    if (!message) co_return Misbehaved();
    if (message->has_leave()) co_return Left();
    if (message->has_fail()) {
      co_return Answer::Not(Answer::Kind::kNobody,
                            Printable(message->fail().message().substr(0, kMaxExplanation)));
    }
    std::optional<Answer> answer =
        co_await Take(prompt, message->choose(), std::move(received->descriptor), channel);
    if (answer) co_return *std::move(answer);
  }
}

asio::awaitable<std::optional<Answer>> Prompting::Take(const Prompt& prompt,
                                                       const v1::Choose& chosen,
                                                       std::optional<ipc::Descriptor> pin,
                                                       ipc::MessageChannel& channel) {
  using asio::experimental::awaitable_operators::operator||;
  if (chosen.choice() >= static_cast<uint32_t>(prompt.choices.size())) co_return Misbehaved();
  const Choice& choice = prompt.choices[chosen.choice()];
  const v1::PinEntry entry = ToPin(choice, tokens_).entry();
  if (entry == v1::PIN_ENTRY_NONE) co_return Answer::Chosen(chosen.choice());
  if (pin.has_value() != (entry == v1::PIN_ENTRY_HERE)) co_return Misbehaved();

  v1::ToPrompter wait;
  wait.mutable_wait()->set_message(pin ? "The token checks the PIN."
                                       : "Enter the PIN at the reader.");
  absl::Status sent = co_await Send(channel, std::move(wait));
  if (!sent.ok()) co_return Gone();
  // Nobody reads what goes with a PIN that is entered at the reader.
  if (!pin) pin.emplace(open("/dev/null", O_RDONLY | O_CLOEXEC));
  asio::awaitable<absl::Status> unlocking =
      tokens_.Unlock(prompt.caller, choice.identity.key.backend, *std::move(pin),
                     chosen.last_try() ? LastTry::kSpend : LastTry::kKeep);
  std::variant<absl::Status, absl::StatusOr<ipc::Message>> first =
      co_await (std::move(unlocking) || channel.Receive());
  if (const auto* received = std::get_if<1>(&first)) co_return Interrupted(*received);
  const absl::Status& unlocked = std::get<0>(first);
  if (unlocked.ok()) co_return Answer::Chosen(chosen.choice());

  v1::ToPrompter refuse;
  refuse.mutable_refuse()->set_message(std::string(unlocked.message()));
  *refuse.mutable_refuse()->mutable_pin() = ToPin(choice, tokens_);
  sent = co_await Send(channel, std::move(refuse));
  if (!sent.ok()) co_return Gone();
  co_return std::nullopt;
}

}  // namespace signet::agent
