// The gateway: accepts connections and runs them all on one thread and one epoll set.
#ifndef SIGNET_CLIENT_LIB_TOOLS_GATEWAY_H_
#define SIGNET_CLIENT_LIB_TOOLS_GATEWAY_H_

#include <cstdint>
#include <map>
#include <memory>

#include "client-lib/tools/descriptor.h"
#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/gateway_connection.h"
#include "client-lib/tools/gateway_policy.h"
#include "client-lib/tools/upstream.h"

namespace signet::tools {

class Gateway {
 public:
  // `listener` listens and does not block; `signals` is a signalfd: the first signal ends the
  // gateway gracefully (GOAWAY, what is in progress has policy.drain_timeout_ms), the second at
  // once. `policy` and `context` outlive the gateway.
  Gateway(Descriptor listener, Descriptor signals, const GatewayPolicy& policy, SSL_CTX* context);

  // Blocks until a signal has ended it.
  void Run();

 private:
  void AcceptSome();
  bool AcceptOne();
  void PauseAccepting();
  void ResumeAccepting();
  void TakeSignal();
  void Forget(uint64_t id);

  EventLoop loop_;
  Descriptor listener_;
  Descriptor signals_;
  const GatewayPolicy& policy_;
  SSL_CTX* context_;
  Watch accepting_;
  Watch signalled_;
  std::unique_ptr<Backend> backend_;  // null: the gateway answers by itself
  std::map<uint64_t, std::unique_ptr<GatewayConnection>> connections_;
  uint64_t next_id_ = 0;
  bool paused_ = false;
  bool stopping_ = false;
  uint64_t stop_deadline_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_GATEWAY_H_
