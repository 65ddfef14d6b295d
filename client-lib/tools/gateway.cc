#include "client-lib/tools/gateway.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "client-lib/tools/monotonic_clock.h"
#include "client-lib/tools/tcp_socket.h"

namespace signet::tools {
namespace {

constexpr size_t kMaxConnections = 1024;
constexpr int kAcceptsAtOnce = 64;
constexpr int kEventsAtOnce = 256;
// With no descriptor left, or too many connections, new ones wait in the kernel for so long at most
// before we look again.
constexpr uint64_t kAcceptPauseMs = 1000;

constexpr uint64_t kListenerId = 0;
constexpr uint64_t kSignalsId = 1;
constexpr uint64_t kFirstConnectionId = 2;

uint32_t ToEpoll(short events) {
  return (events & POLLIN ? EPOLLIN : 0u) | (events & POLLOUT ? EPOLLOUT : 0u);
}

}  // namespace

Gateway::Gateway(Descriptor listener, Descriptor signals, const GatewayPolicy& policy,
                 SSL_CTX* context)
    : listener_(std::move(listener)),
      signals_(std::move(signals)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      policy_(policy),
      context_(context),
      next_id_(kFirstConnectionId),
      stop_deadline_(kNever),
      resume_accepting_(kNever) {
  Watch(listener_.get(), kListenerId, EPOLLIN, EPOLL_CTL_ADD);
  Watch(signals_.get(), kSignalsId, EPOLLIN, EPOLL_CTL_ADD);
}

void Gateway::Watch(int fd, uint64_t id, uint32_t events, int operation) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  epoll_ctl(epoll_.get(), operation, fd, &event);
}

void Gateway::Run() {
  std::array<epoll_event, kEventsAtOnce> events;
  while (!stopping_ || (!entries_.empty() && NowMs() < stop_deadline_)) {
    int count = epoll_wait(epoll_.get(), events.data(), events.size(), PollTimeout(NextDeadline()));
    for (int i = 0; i < count; ++i) {
      uint64_t id = events[i].data.u64;
      if (id == kListenerId) {
        AcceptSome();
      } else if (id == kSignalsId) {
        TakeSignal();
      } else {
        DriveOne(id);
      }
    }
    DriveExpired();
    if (NowMs() >= resume_accepting_) ResumeAccepting();
  }
}

uint64_t Gateway::NextDeadline() const {
  uint64_t first = deadlines_.empty() ? kNever : deadlines_.begin()->first;
  return std::min({first, stop_deadline_, resume_accepting_});
}

void Gateway::AcceptSome() {
  for (int i = 0; i < kAcceptsAtOnce && !stopping_; ++i) {
    if (entries_.size() >= kMaxConnections) {
      PauseAccepting();
      return;
    }
    std::string peer;
    Descriptor socket = Accept(listener_, peer);
    if (!socket.valid()) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        PauseAccepting();
      }
      if (errno == ECONNABORTED || errno == EINTR) continue;
      return;
    }
    Ssl ssl(SSL_new(context_));
    if (ssl == nullptr) continue;
    SSL_set_accept_state(ssl.get());
    int fd = socket.get();
    uint64_t id = next_id_++;
    auto connection = std::make_unique<GatewayConnection>(
        TlsStream(std::move(socket), std::move(ssl)), std::move(peer), policy_);
    uint64_t deadline = connection->deadline();
    entries_.emplace(id, Entry{std::move(connection), EPOLLIN, deadline});
    deadlines_.emplace(deadline, id);
    Watch(fd, id, EPOLLIN, EPOLL_CTL_ADD);
  }
}

void Gateway::PauseAccepting() {
  Watch(listener_.get(), kListenerId, 0, EPOLL_CTL_MOD);
  resume_accepting_ = NowMs() + kAcceptPauseMs;
}

void Gateway::ResumeAccepting() {
  resume_accepting_ = kNever;
  if (!stopping_) Watch(listener_.get(), kListenerId, EPOLLIN, EPOLL_CTL_MOD);
}

void Gateway::TakeSignal() {
  signalfd_siginfo signal;
  if (read(signals_.get(), &signal, sizeof signal) != sizeof signal) return;
  if (stopping_) {
    stop_deadline_ = 0;
    return;
  }
  stopping_ = true;
  stop_deadline_ = NowMs() + policy_.drain_timeout_ms;
  resume_accepting_ = kNever;
  listener_ = Descriptor();  // later connections are refused; epoll forgets it
  std::vector<uint64_t> ids;
  for (auto& [id, entry] : entries_) {
    entry.connection->Stop();
    ids.push_back(id);
  }
  for (uint64_t id : ids) DriveOne(id);
}

void Gateway::DriveOne(uint64_t id) {
  auto found = entries_.find(id);
  if (found == entries_.end()) return;  // ended by an earlier event of the same batch
  Entry& entry = found->second;
  entry.connection->Drive();
  deadlines_.erase({entry.deadline, id});
  if (entry.connection->done()) {
    entries_.erase(found);
    if (resume_accepting_ != kNever) ResumeAccepting();
    return;
  }
  entry.deadline = entry.connection->deadline();
  deadlines_.emplace(entry.deadline, id);
  uint32_t events = ToEpoll(entry.connection->events());
  if (events != entry.events) Watch(entry.connection->fd(), id, events, EPOLL_CTL_MOD);
  entry.events = events;
}

void Gateway::DriveExpired() {
  uint64_t now = NowMs();
  std::vector<uint64_t> expired;
  for (const auto& [deadline, id] : deadlines_) {
    if (deadline > now) break;
    expired.push_back(id);
  }
  for (uint64_t id : expired) DriveOne(id);
}

}  // namespace signet::tools
