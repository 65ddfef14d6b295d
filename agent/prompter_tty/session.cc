#include "agent/prompter_tty/session.h"

#include <errno.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "agent/printable/printable.h"
#include "agent/prompter_tty/conversation.h"

namespace signet::prompter_tty {
namespace {

using Clock = std::chrono::steady_clock;
using prompt::v1::ToPrompter;

enum class Event { kAgent, kAnswer, kSignal, kHangUp };

Event WaitForEvent(const AgentChannel& agent, const Terminal& terminal, const Pinentry& pinentry,
                   int signals) {
  // poll ignores a negative descriptor, and tells of a hang-up unasked.
  pollfd entries[] = {{agent.descriptor(), POLLIN, 0},
                      {signals, POLLIN, 0},
                      {terminal.descriptor(), 0, 0},
                      {pinentry.descriptor(), POLLIN, 0}};
  while (poll(entries, 4, -1) < 0 && errno == EINTR) {
  }
  // The agent's end comes first: an answer that crossed it counts for nothing.
  if (entries[0].revents != 0) return Event::kAgent;
  if (entries[1].revents != 0) return Event::kSignal;
  if (entries[2].revents != 0) return Event::kHangUp;
  return Event::kAnswer;
}

class Session {
 public:
  Session(AgentChannel& agent, Terminal& terminal, Pinentry& pinentry, int signals)
      : agent_(agent), terminal_(terminal), pinentry_(pinentry), signals_(signals) {}

  absl::Status Run() {
    const absl::StatusOr<ToPrompter> first = agent_.Receive();
    if (absl::IsOutOfRange(first.status())) return absl::OkStatus();
    if (!first.ok()) return first.status();
    if (!first->has_show()) return absl::InvalidArgumentError("the agent's first message: no Show");
    origin_ = first->show().origin();
    deadline_ = Clock::now() + std::chrono::milliseconds(first->show().deadline_ms());
    Conversation conversation(first->show());
    Step step = conversation.Begin(view());
    for (;;) {
      if (absl::Status status = Take(std::move(step)); !status.ok()) return status;
      if (over_) return absl::OkStatus();
      absl::StatusOr<std::optional<Step>> next = Next(conversation);
      if (!next.ok()) return next.status();
      if (!next->has_value()) return absl::OkStatus();
      step = std::move(**next);
    }
  }

 private:
  View view() const {
    const auto left = std::chrono::ceil<std::chrono::seconds>(deadline_ - Clock::now());
    return {terminal_.columns(), std::max(left, std::chrono::seconds(1))};
  }

  // The step ends here, and with it a PIN in it.
  absl::Status Take(Step taken) {
    const Step step = std::move(taken);
    if (const auto* question = std::get_if<Question>(&step)) {
      wants_answer_ = !question->prompt.empty();
      return pinentry_.Ask(*question);
    }
    if (const auto* choose = std::get_if<Choose>(&step)) return agent_.Send(*choose);
    over_ = true;
    if (const auto* leave = std::get_if<Leave>(&step)) return agent_.Send(*leave);
    return agent_.Send(std::get<Fail>(step));
  }

  // Nothing: it is over.
  absl::StatusOr<std::optional<Step>> Next(Conversation& conversation) {
    for (;;) {
      switch (WaitForEvent(agent_, terminal_, pinentry_, signals_)) {
        case Event::kAgent:
          return FromAgent(conversation);
        case Event::kSignal:
          Withdraw();
          return std::nullopt;
        case Event::kHangUp:
          pinentry_.Stop();
          return absl::UnavailableError(
              absl::StrCat("terminal ", terminal_.path(), " was closed while it asked"));
        case Event::kAnswer:
          break;
      }
      absl::StatusOr<std::optional<Answer>> answer = pinentry_.Read();
      if (!answer.ok()) return answer.status();
      if (!answer->has_value()) continue;
      // The agent keeps the time, and closes the socket.
      if ((*answer)->kind == Answer::Kind::kTimedOut) continue;
      return conversation.Answered(std::move(**answer), view());
    }
  }

  absl::StatusOr<std::optional<Step>> FromAgent(Conversation& conversation) {
    const absl::StatusOr<ToPrompter> message = agent_.Receive();
    if (!message.ok()) {
      Withdraw();
      return std::nullopt;
    }
    pinentry_.Stop();
    if (message->has_refuse()) return conversation.Refused(message->refuse(), view());
    if (message->has_wait()) return conversation.Waits(message->wait(), view());
    return absl::InvalidArgumentError("the agent's message: neither Refuse nor Wait");
  }

  void Withdraw() {
    // After an answer a message may be all that is shown: its end needs no words.
    const bool unanswered = pinentry_.asking() && wants_answer_;
    pinentry_.Stop();
    if (unanswered) {
      terminal_.Say(
          absl::StrCat("Signet: the question about ", PrintableAscii(origin_), " is over."));
    }
  }

  AgentChannel& agent_;
  Terminal& terminal_;
  Pinentry& pinentry_;
  const int signals_;
  std::string origin_;
  Clock::time_point deadline_;
  bool wants_answer_ = false;
  bool over_ = false;
};

}  // namespace

absl::Status Converse(AgentChannel& agent, Terminal& terminal, Pinentry& pinentry, int signals) {
  return Session(agent, terminal, pinentry, signals).Run();
}

}  // namespace signet::prompter_tty
