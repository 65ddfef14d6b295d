// One client of the gateway over HTTP/3, from its first datagram to the end.
#ifndef SIGNET_CLIENT_LIB_TOOLS_GATEWAY_HTTP3_CONNECTION_H_
#define SIGNET_CLIENT_LIB_TOOLS_GATEWAY_HTTP3_CONNECTION_H_

#include <signet/server.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/gateway_policy.h"
#include "client-lib/tools/gateway_requests.h"
#include "client-lib/tools/http3_connection.h"
#include "client-lib/tools/kept_client_hello.h"
#include "client-lib/tools/quic_connection.h"
#include "client-lib/tools/udp_socket.h"
#include "client-lib/tools/upstream.h"

namespace signet::tools {

class GatewayHttp3Connection : public Http3Events {
 public:
  struct Arrival {
    const ngtcp2_pkt_hd& header;                // of the first datagram
    const std::optional<ngtcp2_cid>& original;  // of a client that was told to come again
    const SocketAddress& local;
    const SocketAddress& remote;
  };

  // `loop`, `policy`, what `upstreams` has, `credentials` and `carrier` outlive the connection.
  // `ended` is called from the loop, once, and must give this object to loop.DestroyLater().
  GatewayHttp3Connection(EventLoop& loop, const GatewayPolicy& policy, Upstreams upstreams,
                         gnutls_certificate_credentials_t credentials, QuicCarrier& carrier,
                         const Arrival& arrival, std::function<void()> ended);

  void Receive(std::span<const uint8_t> datagram, const SocketAddress& local,
               const SocketAddress& remote);
  bool in_handshake() const { return quic_->state() == QuicConnection::State::kHandshake; }
  // Takes no new requests; ends when those in progress are answered.
  void Stop();

 private:
  bool OnHandshakeComplete() override;
  void OnHeader(int64_t id, std::string_view name, std::string_view value) override;
  void OnHeadersComplete(int64_t id, bool last) override;
  void OnData(int64_t id, std::span<const uint8_t> data) override;
  void OnStreamEnd(int64_t id) override;
  void OnStreamClose(int64_t id, uint64_t error_code) override;

  // Does all that is due, without blocking.
  void Drive();
  void Serve();
  void Linger();
  uint64_t IdleDeadline() const;

  const GatewayPolicy& policy_;
  const std::string peer_;
  Upstreams upstreams_;
  std::function<void()> ended_;
  bool stopping_ = false;
  uint64_t last_busy_ms_ = 0;
  uint64_t linger_until_;  // kNever = not closed yet

  struct RequesterDelete {
    void operator()(signet_requester* requester) const { signet_requester_free(requester); }
  };
  Watch watch_;
  std::optional<QuicConnection> quic_;
  std::optional<KeptClientHello> client_hello_;  // until the handshake is complete
  std::unique_ptr<signet_requester, RequesterDelete> requester_;
  Http3Connection http3_;
  std::optional<GatewayRequests> requests_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_GATEWAY_HTTP3_CONNECTION_H_
