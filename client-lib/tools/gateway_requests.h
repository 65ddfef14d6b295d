// The requests on one client's connection, and the certificates that they wait for, whatever
// version of HTTP the client speaks.
#ifndef SIGNET_CLIENT_LIB_TOOLS_GATEWAY_REQUESTS_H_
#define SIGNET_CLIENT_LIB_TOOLS_GATEWAY_REQUESTS_H_

#include <signet/server.h>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "client-lib/tools/client_streams.h"
#include "client-lib/tools/connection_certificates.h"
#include "client-lib/tools/connection_proofs.h"
#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/gateway_policy.h"
#include "client-lib/tools/gateway_stream.h"
#include "client-lib/tools/upstream.h"

namespace signet::tools {

class GatewayRequests {
 public:
  // All outlive this object; what `upstreams` has, too. `wake` is that of the connection, whose
  // client showed the certificate of that thumbprint in the handshake, if it is not empty.
  GatewayRequests(const GatewayPolicy& policy, const std::string& peer, signet_requester& requester,
                  Upstreams upstreams, ClientStreams& streams, Watch& wake,
                  std::string handshake_thumbprint);

  // What happens on the streams. A request begins with its first header field.
  void OnHeader(int64_t id, std::string_view name, std::string_view value);
  void OnHeadersComplete(int64_t id, bool last);
  void OnData(int64_t id, std::span<const uint8_t> data);
  void OnStreamEnd(int64_t id);
  void OnStreamClose(int64_t id, uint64_t error_code);

  // Judges the answers that have come.
  void TakeAnswers();
  // Lets those go on whose token can be checked now.
  void SettleTokens();
  // Lets those go on that wait for no certificate any more.
  void Settle(uint64_t now_ms);
  // Asks for what is still needed. False when libsignet could not make the requests.
  bool AskForMissing();
  // Proves what is due of the gateway's own certificates, and answers for a backend that has
  // failed.
  void Advance();
  // True when a stream was reset, which is to be sent.
  bool ResetAnswered();

  bool empty() const { return streams_.empty(); }
  // A request waits for somebody who is not just idle.
  bool busy() const;
  // The head of some request is there.
  bool serving() const;
  // When the first wait for certificates ends; kNever = there is none.
  uint64_t deadline() const;
  // When the head or the end of a request was last seen.
  uint64_t last_request_ms() const { return last_request_ms_; }

 private:
  ConnectionProofs proofs_;
  ConnectionCertificates certificates_;
  const std::string handshake_thumbprint_;
  const StreamContext context_;
  std::map<int64_t, GatewayStream> streams_;
  uint64_t last_request_ms_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_GATEWAY_REQUESTS_H_
