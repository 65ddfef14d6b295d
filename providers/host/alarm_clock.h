// The time since the machine was started, also while it was suspended, and an alarm in it.
#ifndef SIGNET_PROVIDERS_HOST_ALARM_CLOCK_H_
#define SIGNET_PROVIDERS_HOST_ALARM_CLOCK_H_

#include <chrono>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"

namespace signet::providers {

// One thread.
class AlarmClock {
 public:
  using Time = std::chrono::nanoseconds;  // since the machine was started
  virtual ~AlarmClock() = default;

  virtual Time Now() const = 0;
  // In place of the one before; without a time there is none.
  virtual void Set(std::optional<Time> alarm) = 0;
  // Can be read from when the alarm goes off until it is set anew. The clock's.
  virtual int descriptor() const = 0;
};

// CLOCK_BOOTTIME: a machine that wakes up late finds the alarm gone off. kUnavailable when the
// kernel gives no timer.
absl::StatusOr<std::unique_ptr<AlarmClock>> MakeBootClock();

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_HOST_ALARM_CLOCK_H_
