#include "client-lib/tools/event_loop.h"

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>

#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {
namespace {

constexpr int kEventsAtOnce = 256;

uint32_t ToEpoll(short events) {
  return (events & POLLIN ? EPOLLIN : 0u) | (events & POLLOUT ? EPOLLOUT : 0u);
}

}  // namespace

EventLoop::EventLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

void EventLoop::RunOnce(uint64_t wake_ms) {
  if (!deadlines_.empty()) wake_ms = std::min(wake_ms, deadlines_.begin()->first);
  if (!woken_.empty()) wake_ms = 0;
  std::array<epoll_event, kEventsAtOnce> events;
  int count = epoll_wait(epoll_.get(), events.data(), events.size(), PollTimeout(wake_ms));
  std::vector<uint64_t> due = std::exchange(woken_, {});
  for (int i = 0; i < count; ++i) due.push_back(events[i].data.u64);
  uint64_t now = NowMs();
  for (const auto& [deadline, id] : deadlines_) {
    if (deadline > now) break;
    due.push_back(id);
  }
  std::ranges::sort(due);
  due.erase(std::unique(due.begin(), due.end()), due.end());
  for (uint64_t id : due) {
    auto found = watches_.find(id);
    if (found == watches_.end()) continue;  // ended by an earlier one of this turn
    found->second->woken_ = false;
    found->second->ready_();
  }
  std::exchange(doomed_, {});
}

Watch::Watch(EventLoop& loop, std::function<void()> ready)
    : loop_(loop), id_(loop.next_id_++), ready_(std::move(ready)), deadline_ms_(kNever) {
  loop_.watches_[id_] = this;
}

Watch::~Watch() {
  SetEvents(-1, 0);
  SetDeadline(kNever);
  loop_.watches_.erase(id_);
}

void Watch::SetEvents(int fd, short events) {
  if (events == 0) fd = -1;
  if (fd == fd_ && events == events_) return;
  epoll_event event{};
  event.events = ToEpoll(events);
  event.data.u64 = id_;
  if (fd_ >= 0 && fd != fd_) epoll_ctl(loop_.epoll_.get(), EPOLL_CTL_DEL, fd_, nullptr);
  if (fd >= 0) {
    epoll_ctl(loop_.epoll_.get(), fd == fd_ ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
  }
  fd_ = fd;
  events_ = events;
}

void Watch::SetDeadline(uint64_t deadline_ms) {
  if (deadline_ms == deadline_ms_) return;
  if (deadline_ms_ != kNever) loop_.deadlines_.erase({deadline_ms_, id_});
  if (deadline_ms != kNever) loop_.deadlines_.emplace(deadline_ms, id_);
  deadline_ms_ = deadline_ms;
}

void Watch::Wake() {
  if (std::exchange(woken_, true)) return;
  loop_.woken_.push_back(id_);
}

}  // namespace signet::tools
