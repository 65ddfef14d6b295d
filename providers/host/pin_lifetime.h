// How long a token stays unlocked.
#ifndef SIGNET_PROVIDERS_HOST_PIN_LIFETIME_H_
#define SIGNET_PROVIDERS_HOST_PIN_LIFETIME_H_

#include <algorithm>
#include <chrono>
#include <optional>

#include "providers/host/alarm_clock.h"

namespace signet::providers {

// A value: told what happens and when, it says when the PIN is to be forgotten.
class PinLifetime {
 public:
  using Time = AlarmClock::Time;
  // Zero: no limit.
  struct Limits {
    std::chrono::seconds idle{0};   // since the last use
    std::chrono::seconds total{0};  // since the unlock, used or not
  };

  explicit PinLifetime(Limits limits) : limits_(limits) {}

  // After each call: is the token unlocked, and did the call use its PIN?
  void Note(bool unlocked, bool used, Time now) {
    if (!unlocked) {
      unlocked_at_.reset();
      return;
    }
    if (!unlocked_at_) unlocked_at_ = used_at_ = now;
    if (used) used_at_ = now;
  }

  // Nothing: it is locked, or stays as it is for ever.
  std::optional<Time> end() const {
    if (!unlocked_at_) return std::nullopt;
    std::optional<Time> end;
    if (limits_.idle.count() > 0) end = used_at_ + limits_.idle;
    if (limits_.total.count() > 0) {
      const Time last = *unlocked_at_ + limits_.total;
      end = end ? std::min(*end, last) : last;
    }
    return end;
  }

 private:
  Limits limits_;
  std::optional<Time> unlocked_at_;
  Time used_at_{};
};

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_HOST_PIN_LIFETIME_H_
