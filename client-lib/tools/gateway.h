// The gateway: accepts connections and runs them all on one thread and one epoll set.
#ifndef SIGNET_CLIENT_LIB_TOOLS_GATEWAY_H_
#define SIGNET_CLIENT_LIB_TOOLS_GATEWAY_H_

#include <cstdint>
#include <map>
#include <memory>

#include "client-lib/tools/descriptor.h"
#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/gateway_connection.h"
#include "client-lib/tools/gateway_http3.h"
#include "client-lib/tools/gateway_policy.h"
#include "client-lib/tools/tunnels.h"
#include "client-lib/tools/upstream.h"

namespace signet::tools {

class Gateway {
 public:
  // `listener` listens and does not block; `signals` is a signalfd: the first signal ends the
  // gateway gracefully (GOAWAY, what is in progress has policy.drain_timeout_ms), the second at
  // once. `loop`, `policy` and `context` outlive the gateway.
  Gateway(EventLoop& loop, Descriptor listener, Descriptor signals, const GatewayPolicy& policy,
          SSL_CTX* context);

  // Serves HTTP/3 on a UDP socket, too. `credentials` outlive the gateway.
  void ServeHttp3(Descriptor socket, gnutls_certificate_credentials_t credentials);

  // Blocks until a signal has ended it.
  void Run();

 private:
  void AcceptSome();
  bool AcceptOne();
  void PauseAccepting();
  void ResumeAccepting();
  void TakeSignal();
  void Forget(uint64_t id);
  Upstreams upstreams() const { return {backend_.get(), tunnels_.get()}; }

  EventLoop& loop_;
  Descriptor listener_;
  Descriptor signals_;
  const GatewayPolicy& policy_;
  SSL_CTX* context_;
  Watch accepting_;
  Watch signalled_;
  std::unique_ptr<Backend> backend_;  // null: the gateway answers by itself
  std::unique_ptr<Tunnels> tunnels_;  // null: there are none
  std::map<uint64_t, std::unique_ptr<GatewayConnection>> connections_;
  std::unique_ptr<GatewayHttp3> http3_;  // null: HTTP/2 only
  uint64_t next_id_ = 0;
  bool paused_ = false;
  bool stopping_ = false;
  uint64_t stop_deadline_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_GATEWAY_H_
