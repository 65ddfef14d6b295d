#include "client-lib/tools/http1_backend.h"

#include <poll.h>

#include <algorithm>

#include "client-lib/tools/http1_exchange.h"
#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {
namespace {

// Servers close after some seconds without a request; to be first avoids the race.
constexpr uint64_t kKeepMs = 10000;

}  // namespace

struct Http1Backend::Idle {
  Idle(Http1Backend& backend, Descriptor connection)
      : socket(std::move(connection)),
        // Closed by the server, out of step, or kept for long enough: of no use in any case.
        watch(backend.loop_, [&backend, this] {
          auto found = std::ranges::find(backend.idle_, this, &std::shared_ptr<Idle>::get);
          backend.loop_.DestroyLater(*found);
          backend.idle_.erase(found);
          watch.SetEvents(-1, 0);
          watch.SetDeadline(kNever);
        }) {
    watch.SetEvents(socket.get(), POLLIN);
    watch.SetDeadline(NowMs() + kKeepMs);
  }

  Descriptor socket;
  Watch watch;
};

Http1Backend::~Http1Backend() = default;

std::unique_ptr<UpstreamExchange> Http1Backend::Start(UpstreamRequest request,
                                                      UpstreamEvents& events) {
  auto exchange = std::make_unique<Http1Exchange>(*this, std::move(request), events);
  if (Admit(*exchange)) exchange->Begin();
  return exchange;
}

bool Http1Backend::Admit(Http1Exchange& exchange) {
  if (busy_ >= max_connections_) {
    queue_.push_back(&exchange);
    return false;
  }
  ++busy_;
  return true;
}

void Http1Backend::Withdraw(Http1Exchange& exchange) { std::erase(queue_, &exchange); }

void Http1Backend::Leave() {
  if (queue_.empty()) {
    --busy_;
    return;
  }
  Http1Exchange* next = queue_.front();
  queue_.pop_front();
  next->Begin();
}

Descriptor Http1Backend::TakeIdle() {
  if (idle_.empty()) return Descriptor();
  // The one used last is the one least likely to be closed.
  std::shared_ptr<Idle> idle = std::move(idle_.back());
  idle_.pop_back();
  idle->watch.SetEvents(-1, 0);
  return std::move(idle->socket);
}

void Http1Backend::MakeRoom() {
  if (!idle_.empty() && idle_.size() + busy_ > max_connections_) idle_.pop_front();
}

void Http1Backend::Keep(Descriptor socket) {
  if (idle_.size() + busy_ > max_connections_) return;
  idle_.push_back(std::make_shared<Idle>(*this, std::move(socket)));
}

}  // namespace signet::tools
