// The gateway's UDP socket: finds the connection of each datagram, and makes new ones.
#ifndef SIGNET_CLIENT_LIB_TOOLS_GATEWAY_HTTP3_H_
#define SIGNET_CLIENT_LIB_TOOLS_GATEWAY_HTTP3_H_

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "client-lib/tools/descriptor.h"
#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/gateway_http3_connection.h"
#include "client-lib/tools/gateway_policy.h"
#include "client-lib/tools/quic_connection.h"
#include "client-lib/tools/quic_retry.h"
#include "client-lib/tools/upstream.h"

namespace signet::tools {

class GatewayHttp3 {
 public:
  // `loop`, `policy`, what `upstreams` has and `credentials` outlive this object.
  GatewayHttp3(EventLoop& loop, Descriptor socket, gnutls_certificate_credentials_t credentials,
               const GatewayPolicy& policy, Upstreams upstreams);

  void Stop();
  bool empty() const { return connections_.empty(); }

 private:
  // How one connection sends, and the ids under which it is known.
  class Carrier : public QuicCarrier {
   public:
    Carrier(GatewayHttp3& owner, uint64_t id) : owner_(owner), id_(id) {}
    void SendDatagram(std::span<const uint8_t> data, const ngtcp2_path& path) override;
    void AddId(const ngtcp2_cid& id) override;
    void RemoveId(const ngtcp2_cid& id) override;

   private:
    GatewayHttp3& owner_;
    const uint64_t id_;
  };
  struct Connection {
    std::unique_ptr<Carrier> carrier;
    std::unique_ptr<GatewayHttp3Connection> connection;
  };

  void ReceiveSome();
  void Take(std::span<const uint8_t> datagram, const SocketAddress& from);
  GatewayHttp3Connection* Accept(std::span<const uint8_t> datagram, const SocketAddress& from);
  // So many handshakes are going on that others have to show where they are.
  bool crowded() const;
  void RefuseVersion(const ngtcp2_version_cid& ids, const SocketAddress& from);
  void Forget(uint64_t id);

  EventLoop& loop_;
  Descriptor socket_;
  const SocketAddress local_;
  gnutls_certificate_credentials_t credentials_;
  const GatewayPolicy& policy_;
  Upstreams upstreams_;
  Watch receiving_;
  const QuicRetry retry_;
  bool stopping_ = false;
  uint64_t next_id_ = 0;
  std::map<uint64_t, Connection> connections_;
  std::map<std::string, uint64_t> ids_;  // of QUIC, to those of connections_
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_GATEWAY_HTTP3_H_
