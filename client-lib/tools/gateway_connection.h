// One client of the gateway, from the TLS handshake to the end.
#ifndef SIGNET_CLIENT_LIB_TOOLS_GATEWAY_CONNECTION_H_
#define SIGNET_CLIENT_LIB_TOOLS_GATEWAY_CONNECTION_H_

#include <signet/nghttp2.h>
#include <signet/server.h>

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client-lib/tools/access_decision.h"
#include "client-lib/tools/connection_proofs.h"
#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/gateway_reply.h"
#include "client-lib/tools/http2_connection.h"
#include "client-lib/tools/requirements.h"
#include "client-lib/tools/tls_stream.h"

namespace signet::tools {

// What holds for every connection.
struct GatewayPolicy {
  Requirements requirements;
  signet_code_points code_points;  // of HTTP/2
  uint32_t decision_timeout_ms;    // how long a request waits for the client's certificates
  uint32_t idle_timeout_ms;        // a connection on which nothing moves is ended
  uint32_t drain_timeout_ms;       // what is in progress at the end has so long to finish
  std::ostream* log;               // one JSON object a line
};

class GatewayConnection : public Http2Events {
 public:
  // `loop` and `policy` outlive the connection. `peer` is its address, for the log. `ended` is
  // called from the loop, once, and must give this object to loop.DestroyLater().
  GatewayConnection(EventLoop& loop, TlsStream stream, std::string peer,
                    const GatewayPolicy& policy, std::function<void()> ended);

  // Takes no new requests; ends when those in progress are answered.
  void Stop();

 private:
  enum class Phase { kHandshake, kOpen, kLingering, kDone };

  struct Stream {
    std::string method;
    std::string target;
    size_t header_bytes = 0;
    bool complete = false;
    bool waiting = false;  // for certificates
    uint64_t arrived_ms = 0;
    std::string path;
    std::optional<AccessDecision> decision;
    size_t ignored = 0;  // bytes of the request's body
    std::string body;
    size_t body_sent = 0;
  };

  void OnHeader(int32_t id, std::string_view name, std::string_view value) override;
  void OnHeadersComplete(int32_t id) override;
  void OnData(int32_t id, std::span<const uint8_t> data) override;
  void OnStreamClose(int32_t id, uint32_t error_code) override;
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

  void Decide(int32_t id, Stream& stream);
  void TakeAnswers();
  void AskForMissing();
  void SettleWaiting();
  GatewayReply ReplyTo(const AccessDecision& decision) const;
  GatewayReply WhoAmI() const;
  void Reply(int32_t id, Stream& stream, const GatewayReply& reply);

  const GatewayPolicy& policy_;
  const std::string peer_;
  Phase phase_ = Phase::kHandshake;
  uint64_t phase_deadline_;  // of the handshake, or of lingering
  uint64_t last_reply_ms_ = 0;

  TlsStream stream_;
  struct RequesterDelete {
    void operator()(signet_requester* requester) const { signet_requester_free(requester); }
  };
  std::unique_ptr<signet_requester, RequesterDelete> requester_;
  signet_nghttp2 adapter_{};
  std::optional<ConnectionProofs> proofs_;
  std::map<int32_t, Stream> streams_;
  std::unique_ptr<Http2Connection> http2_;
  std::function<void()> ended_;
  Watch watch_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_GATEWAY_CONNECTION_H_
