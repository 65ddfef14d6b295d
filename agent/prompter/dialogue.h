// What the window is about at any moment, without a window: what was asked, what the person has
// done so far, and what may be answered. One thread. No PIN ever comes here, only its size.
#ifndef SIGNET_AGENT_PROMPTER_DIALOGUE_H_
#define SIGNET_AGENT_PROMPTER_DIALOGUE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ipc/prompt.pb.h"

namespace signet::prompter {

namespace v1 = ::signet::prompt::v1;

enum class Phase : uint8_t {
  kAsking,   // the person may choose
  kWorking,  // a choice is with the agent; only leaving is left
  kExpired,  // no time is left; the agent is about to close
};

class Dialogue {
 public:
  using Clock = std::chrono::steady_clock;

  // A click or a key that was meant for another window must not answer: nothing is taken until the
  // window has been there, and neither key nor button was pressed, for so long.
  static constexpr std::chrono::milliseconds kGuard{600};
  // What a person types to spend the last try.
  static constexpr std::string_view kLastTryWord = "last try";
  // What signet-backend takes.
  static constexpr size_t kMaxPinSize = 256;

  // `show` has at least one choice. A single one is chosen, if it can be.
  Dialogue(v1::Show show, Clock::time_point now);

  // The person can see it now. Nothing is taken before.
  void Appear(Clock::time_point now) { guard_end_ = now + kGuard; }
  // A key or a button was pressed while it was guarded: the wait begins anew.
  void Disturb(Clock::time_point now);
  void Select(size_t choice);
  void SetPinSize(size_t bytes) { pin_size_ = bytes; }
  void SetWord(std::string_view typed);
  // The person says yes. Nothing, and nothing happens, unless CanApprove.
  std::optional<v1::Choose> Approve(Clock::time_point now);

  // False when the message makes no sense now: the agent is broken.
  [[nodiscard]] bool Handle(const v1::ToPrompter& message, Clock::time_point now);
  // To be called now and then: time may have run out.
  void Tick(Clock::time_point now);

  const v1::Show& show() const { return show_; }
  Phase phase() const { return phase_; }
  std::optional<size_t> selected() const { return selected_; }
  bool Selectable(size_t choice) const;
  bool guarded(Clock::time_point now) const { return !guard_end_ || now < *guard_end_; }
  // A PIN is entered in this window for what is selected.
  bool WantsPin() const;
  // The last try is about to be spent: the word is to be typed.
  bool WantsWord() const;
  bool CanApprove(Clock::time_point now) const;
  // What is still to be done before CanApprove, for a person; empty when nothing is.
  std::string Missing() const;

  // What the agent said last, for a person; a refusal or news of the work under way.
  const std::string& message() const { return message_; }
  bool refused() const { return refused_; }
  // Counts the refusals: at each one, what was typed is to be cleared.
  int refusals() const { return refusals_; }

  // Nothing when the agent set no deadline.
  std::optional<Clock::duration> Remaining(Clock::time_point now) const;
  Clock::time_point deadline() const { return deadline_; }
  Clock::duration whole_time() const { return std::chrono::milliseconds(show_.deadline_ms()); }

 private:
  const v1::Pin* SelectedPin() const;
  bool HandleRefuse(const v1::Refuse& refuse, Clock::time_point now);

  v1::Show show_;
  Clock::time_point deadline_;
  std::optional<Clock::time_point> guard_end_;  // nothing before it appeared
  Phase phase_ = Phase::kAsking;
  std::optional<size_t> selected_;
  size_t pin_size_ = 0;
  bool word_typed_ = false;
  std::string message_;
  bool refused_ = false;
  int refusals_ = 0;
};

}  // namespace signet::prompter

#endif  // SIGNET_AGENT_PROMPTER_DIALOGUE_H_
