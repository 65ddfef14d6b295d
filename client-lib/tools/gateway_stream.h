// One request of a client, from its first header field to the end of its response: checked, decided
// about, and answered by the gateway itself or by the backend.
#ifndef SIGNET_CLIENT_LIB_TOOLS_GATEWAY_STREAM_H_
#define SIGNET_CLIENT_LIB_TOOLS_GATEWAY_STREAM_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client-lib/tools/access_decision.h"
#include "client-lib/tools/client_response.h"
#include "client-lib/tools/client_streams.h"
#include "client-lib/tools/connection_certificates.h"
#include "client-lib/tools/connection_proofs.h"
#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/gateway_policy.h"
#include "client-lib/tools/gateway_reply.h"
#include "client-lib/tools/proxied_request.h"
#include "client-lib/tools/token_check.h"
#include "client-lib/tools/upstream.h"

namespace signet::tools {

// What the streams of one connection share; all outlives them.
struct StreamContext {
  const GatewayPolicy& policy;
  const std::string& peer;
  const ConnectionProofs& proofs;
  ConnectionCertificates& certificates;
  Backend* backend;  // null: the gateway answers by itself
  Backend* tunnels;  // null: there are none
  ClientStreams& streams;
  Watch& wake;                              // the connection, to send what is due
  const std::string& handshake_thumbprint;  // of the client's certificate in TLS; empty = none
};

class GatewayStream {
 public:
  static constexpr uint32_t kMaxHeaderBytes = 16384;
  static constexpr uint64_t kNoError = 0;  // of OnClose

  GatewayStream(const StreamContext& context, int64_t id);
  ~GatewayStream();  // writes the log

  void OnHeader(std::string_view name, std::string_view value);
  void OnHeadersComplete(bool end_of_request);
  void OnData(std::span<const uint8_t> data);
  void OnEnd();
  void OnClose(uint64_t error_code) { error_code_ = error_code; }

  // The decision that this waits for; null when it waits for none.
  AccessDecision* waiting() { return waiting_ ? &*decision_ : nullptr; }
  const AccessDecision* waiting() const { return waiting_ ? &*decision_ : nullptr; }
  // Whether the client has sent the whole head of its request.
  bool has_head() const { return complete_; }
  // Goes on if the wait for the keys of its token's issuer is over.
  void SettleToken();
  // Goes on if the wait for certificates is over.
  void Settle(uint64_t now_ms);
  // Answers for a backend that has failed before it answered.
  void Advance();
  // Tells a client that still sends to an answered request to stop. True when that is to be sent.
  bool ResetAnswered();
  // Whether it is the backend that has to do something next.
  bool awaits_backend() const;
  // Whether it is the issuer of the request's token that has.
  bool awaits_keys() const { return waits_for_keys_; }

 private:
  void Decide();
  std::optional<GatewayReply> Fault() const;
  std::string_view Authority() const;
  bool CheckToken(const PathRule& rule);
  bool CheckBinding(const PathRule& rule);
  void AskForCertificates(const PathRule& rule);
  void Grant();
  void Proxy();
  void OpenTunnel();
  Fields IdentityFields() const;
  GatewayReply OwnReply() const;
  GatewayReply WhoAmI() const;
  void Reply(const GatewayReply& reply);
  void Ignore(size_t count);
  void WriteLog();

  const StreamContext& context_;
  const int64_t id_;
  const uint64_t arrived_ms_;

  // The request.
  std::string method_;
  std::string authority_;
  std::string target_;
  std::string path_;  // of NormalizePath()
  Fields fields_;
  Fields trailers_;
  size_t header_bytes_ = 0;
  bool complete_ = false;  // the head is
  bool ended_ = false;
  std::string body_;  // arrived while nobody could take it yet
  uint64_t received_ = 0;
  size_t ignored_ = 0;
  bool reset_ = false;

  bool waits_for_proof_ = false;  // of our own certificate for the target of a CONNECT
  bool waits_for_keys_ = false;   // of the issuer of its token
  std::optional<TokenCheck> token_;
  bool waiting_ = false;  // for certificates
  std::optional<AccessDecision> decision_;

  ClientResponse response_;
  std::optional<ProxiedRequest> proxied_;

  // For the log.
  std::string error_;
  std::vector<std::string> subjects_;
  uint64_t error_code_ = kNoError;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_GATEWAY_STREAM_H_
