// A backend that speaks HTTP/1.1: connections that are kept for the next request, and never more of
// them than the operator allows.
#ifndef SIGNET_CLIENT_LIB_TOOLS_HTTP1_BACKEND_H_
#define SIGNET_CLIENT_LIB_TOOLS_HTTP1_BACKEND_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>

#include "client-lib/tools/backend_address.h"
#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/upstream.h"

namespace signet::tools {

class Http1Exchange;

class Http1Backend : public Backend {
 public:
  // `loop` and `address` outlive the backend, which outlives its exchanges.
  Http1Backend(EventLoop& loop, const BackendAddress& address, size_t max_connections,
               uint32_t timeout_ms)
      : loop_(loop),
        address_(address),
        max_connections_(max_connections),
        timeout_ms_(timeout_ms) {}
  ~Http1Backend() override;

  std::unique_ptr<UpstreamExchange> Start(UpstreamRequest request, UpstreamEvents& events) override;

 private:
  friend class Http1Exchange;

  // A connection that waits for its next request.
  struct Idle;

  // An exchange may have a connection now, or Begin() is called when its turn comes.
  bool Admit(Http1Exchange& exchange);
  void Withdraw(Http1Exchange& exchange);  // from the queue
  void Leave();                            // an exchange that was admitted has ended

  Descriptor TakeIdle();
  void MakeRoom();  // for one more connection: an idle one may have to go
  void Keep(Descriptor socket);

  EventLoop& loop_;
  const BackendAddress& address_;
  const size_t max_connections_;
  const uint32_t timeout_ms_;
  size_t busy_ = 0;
  std::deque<Http1Exchange*> queue_;
  std::list<std::shared_ptr<Idle>> idle_;  // shared with the loop for its destruction
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_HTTP1_BACKEND_H_
