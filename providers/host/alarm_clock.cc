#include "providers/host/alarm_clock.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ipc/transport/descriptor.h"

namespace signet::providers {
namespace {

constexpr int64_t kNanoseconds = 1'000'000'000;

class BootClock : public AlarmClock {
 public:
  explicit BootClock(ipc::Descriptor timer) : timer_(std::move(timer)) {}

  Time Now() const override {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  }

  void Set(std::optional<Time> alarm) override {
    itimerspec setting{};  // all zero: off
    if (alarm.has_value()) {
      const int64_t time = std::max<int64_t>(alarm->count(), 1);
      setting.it_value = {.tv_sec = time / kNanoseconds, .tv_nsec = time % kNanoseconds};
    }
    timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &setting, nullptr);
  }

  int descriptor() const override { return timer_.get(); }

 private:
  const ipc::Descriptor timer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<AlarmClock>> MakeBootClock() {
  ipc::Descriptor timer(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer.valid()) {
    return absl::UnavailableError(absl::StrCat("timerfd_create: ", strerror(errno)));
  }
  return std::make_unique<BootClock>(std::move(timer));
}

}  // namespace signet::providers
