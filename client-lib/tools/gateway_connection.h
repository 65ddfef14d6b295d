// One client of the gateway, from the TLS handshake to the end.
#ifndef SIGNET_CLIENT_LIB_TOOLS_GATEWAY_CONNECTION_H_
#define SIGNET_CLIENT_LIB_TOOLS_GATEWAY_CONNECTION_H_

#include <signet/nghttp2.h>
#include <signet/server.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/gateway_policy.h"
#include "client-lib/tools/gateway_requests.h"
#include "client-lib/tools/http2_client_streams.h"
#include "client-lib/tools/http2_connection.h"
#include "client-lib/tools/kept_client_hello.h"
#include "client-lib/tools/tls_stream.h"
#include "client-lib/tools/upstream.h"

namespace signet::tools {

class GatewayConnection : public Http2Events {
 public:
  // `loop`, `policy` and what `upstreams` has outlive the connection. `peer` is its address, for
  // the log. `ended` is called from the loop, once, and must give this object to
  // loop.DestroyLater().
  GatewayConnection(EventLoop& loop, TlsStream stream, std::string peer,
                    const GatewayPolicy& policy, Upstreams upstreams, std::function<void()> ended);

  // Takes no new requests; ends when those in progress are answered.
  void Stop();

 private:
  enum class Phase { kHandshake, kOpen, kLingering, kDone };

  void OnHeader(int32_t id, std::string_view name, std::string_view value) override;
  void OnHeadersComplete(int32_t id, bool last) override;
  void OnData(int32_t id, std::span<const uint8_t> data) override;
  void OnStreamEnd(int32_t id) override;
  void OnStreamClose(int32_t id, uint32_t error_code) override;
  void OnPong() override;
  void OnSettings(std::span<const nghttp2_settings_entry>) override {}

  // Does all that is due, without blocking.
  void Drive();
  short events() const;
  uint64_t deadline() const;

  void Handshake();
  bool StartHttp2();
  void Serve();
  void Linger();
  void End(Phase phase);

  uint64_t IdleDeadline() const;
  void SendLastGoaway();

  const GatewayPolicy& policy_;
  const std::string peer_;
  Phase phase_ = Phase::kHandshake;
  uint64_t phase_deadline_;  // of the handshake, or of lingering
  uint64_t last_busy_ms_ = 0;
  uint64_t goaway_ms_;  // when the last GOAWAY is due; kNever = not stopping, or it is sent

  TlsStream stream_;
  std::optional<KeptClientHello> client_hello_;  // until the handshake is complete
  struct RequesterDelete {
    void operator()(signet_requester* requester) const { signet_requester_free(requester); }
  };
  std::unique_ptr<signet_requester, RequesterDelete> requester_;
  signet_nghttp2 adapter_{};
  Upstreams upstreams_;
  std::unique_ptr<Http2Connection> http2_;
  std::function<void()> ended_;
  Watch watch_;
  std::optional<Http2ClientStreams> streams_;
  std::optional<GatewayRequests> requests_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_GATEWAY_CONNECTION_H_
