#include "agent/prompter/dialogue.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace signet::prompter {

Dialogue::Dialogue(v1::Show show, Clock::time_point now)
    : show_(std::move(show)), deadline_(now + whole_time()) {
  if (show_.choices_size() == 1 && Selectable(0)) selected_ = 0;
}

void Dialogue::Disturb(Clock::time_point now) {
  if (guard_end_) guard_end_ = now + kGuard;
}

bool Dialogue::Selectable(size_t choice) const {
  return choice < static_cast<size_t>(show_.choices_size()) &&
         show_.choices(static_cast<int>(choice)).pin().tries() != v1::PIN_TRIES_BLOCKED;
}

void Dialogue::Select(size_t choice) {
  if (phase_ == Phase::kAsking && Selectable(choice)) selected_ = choice;
}

void Dialogue::SetWord(std::string_view typed) {
  std::string word = absl::AsciiStrToLower(std::string(typed));
  absl::StripAsciiWhitespace(&word);
  word_typed_ = word == kLastTryWord;
}

const v1::Pin* Dialogue::SelectedPin() const {
  return selected_ ? &show_.choices(static_cast<int>(*selected_)).pin() : nullptr;
}

bool Dialogue::WantsPin() const {
  const v1::Pin* pin = SelectedPin();
  return pin != nullptr && pin->entry() == v1::PIN_ENTRY_HERE;
}

bool Dialogue::WantsWord() const {
  const v1::Pin* pin = SelectedPin();
  return pin != nullptr && pin->entry() != v1::PIN_ENTRY_NONE && pin->tries() == v1::PIN_TRIES_LAST;
}

std::string Dialogue::Missing() const {
  if (!selected_) {
    for (size_t choice = 0; choice < static_cast<size_t>(show_.choices_size()); ++choice) {
      if (Selectable(choice)) return "Choose a certificate.";
    }
    return "Nothing can be used now.";
  }
  if (WantsPin() && pin_size_ == 0) return "Enter the PIN.";
  if (WantsPin() && pin_size_ > kMaxPinSize) {
    return absl::StrCat("A PIN has at most ", kMaxPinSize, " bytes.");
  }
  if (WantsWord() && !word_typed_) return absl::StrCat("Type “", std::string(kLastTryWord), "”.");
  return "";
}

bool Dialogue::CanApprove(Clock::time_point now) const {
  return phase_ == Phase::kAsking && !guarded(now) && Missing().empty();
}

std::optional<v1::Choose> Dialogue::Approve(Clock::time_point now) {
  if (!CanApprove(now)) return std::nullopt;
  v1::Choose choose;
  choose.set_choice(static_cast<uint32_t>(*selected_));
  choose.set_last_try(WantsWord());
  phase_ = Phase::kWorking;
  message_.clear();
  refused_ = false;
  return choose;
}

bool Dialogue::Handle(const v1::ToPrompter& message, Clock::time_point now) {
  // What was under way when time ran out no longer matters.
  if (phase_ == Phase::kExpired) return message.has_refuse() || message.has_wait();
  if (phase_ != Phase::kWorking) return false;
  if (message.has_wait()) {
    message_ = message.wait().message();
    return true;
  }
  return message.has_refuse() && HandleRefuse(message.refuse(), now);
}

bool Dialogue::HandleRefuse(const v1::Refuse& refuse, Clock::time_point now) {
  if (refuse.has_pin()) {
    *show_.mutable_choices(static_cast<int>(*selected_))->mutable_pin() = refuse.pin();
  }
  if (!Selectable(*selected_)) selected_.reset();
  phase_ = Phase::kAsking;
  message_ = refuse.message();
  refused_ = true;
  ++refusals_;
  pin_size_ = 0;
  word_typed_ = false;
  guard_end_ = now + kGuard;
  return true;
}

void Dialogue::Tick(Clock::time_point now) {
  if (show_.deadline_ms() > 0 && now >= deadline_) phase_ = Phase::kExpired;
}

std::optional<Dialogue::Clock::duration> Dialogue::Remaining(Clock::time_point now) const {
  if (show_.deadline_ms() == 0) return std::nullopt;
  return std::max(deadline_ - now, Clock::duration::zero());
}

}  // namespace signet::prompter
