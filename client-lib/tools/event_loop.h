// One thread's epoll set: tells objects when their descriptor is ready, their moment has come, or
// another object has called them.
#ifndef SIGNET_CLIENT_LIB_TOOLS_EVENT_LOOP_H_
#define SIGNET_CLIENT_LIB_TOOLS_EVENT_LOOP_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "client-lib/tools/descriptor.h"

namespace signet::tools {

class Watch;

class EventLoop {
 public:
  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Waits until something is due, `wake_ms` (of NowMs()) at the latest, and calls whom it concerns,
  // each once.
  void RunOnce(uint64_t wake_ms);
  // An object may not be destroyed while its Watch calls it: give it here. It goes at the end of
  // the turn.
  void DestroyLater(std::shared_ptr<void> object) { doomed_.push_back(std::move(object)); }

 private:
  friend class Watch;

  Descriptor epoll_;
  uint64_t next_id_ = 0;
  std::map<uint64_t, Watch*> watches_;
  std::set<std::pair<uint64_t, uint64_t>> deadlines_;  // deadline, id
  std::vector<uint64_t> woken_;
  std::vector<std::shared_ptr<void>> doomed_;
};

// What one object waits for; a member of it, destroyed before the descriptor is closed.
class Watch {
 public:
  // `ready` is called from EventLoop::RunOnce only. It may destroy other watches, not this one.
  Watch(EventLoop& loop, std::function<void()> ready);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // `events` is of poll(); with 0 nothing is heard of the descriptor, not even its end.
  void SetEvents(int fd, short events);
  void SetDeadline(uint64_t deadline_ms);
  // To be called in the next turn.
  void Wake();

 private:
  friend class EventLoop;

  EventLoop& loop_;
  const uint64_t id_;
  const std::function<void()> ready_;
  int fd_ = -1;
  short events_ = 0;
  uint64_t deadline_ms_;
  bool woken_ = false;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_EVENT_LOOP_H_
