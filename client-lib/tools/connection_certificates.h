// The certificates of the gateway on one client's connection: which were proved, when, and which
// origins are served by them (draft-ietf-httpbis-secondary-server-certs section 3.2, RFC 8336).
#ifndef SIGNET_CLIENT_LIB_TOOLS_CONNECTION_CERTIFICATES_H_
#define SIGNET_CLIENT_LIB_TOOLS_CONNECTION_CERTIFICATES_H_

#include <signet/server.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/gateway_policy.h"
#include "client-lib/tools/signing_key.h"

namespace signet::tools {

class ConnectionCertificates {
 public:
  // All outlive this object. `wake` is that of the connection, to send what a key has signed.
  ConnectionCertificates(const GatewayPolicy& policy, const std::string& peer,
                         signet_requester& requester, Watch& wake);

  // Once the client has shown that it takes part: tells the origins, and begins to prove what is to
  // be proved at the start. May be called at any time, and does it once.
  void Start();
  // A request or a CONNECT names this authority: begins to prove the certificates that are for it.
  void Name(std::string_view authority);
  // Whether a certificate for this authority is being signed: what Name() began.
  bool IsProving(std::string_view authority) const;
  // Whether this connection may be used for the authority: by its TLS certificate, or by one that
  // is proved on it. Without further certificates nobody knows, and it may.
  bool Serves(std::string_view authority) const;

 private:
  enum class State { kUnused, kSigning, kProved, kFailed };

  void Prove(size_t index);
  void Signed(size_t index, uint64_t id, const SigningKey::Signature& signature);
  void Fail(size_t index, std::string_view why);
  // Of the certificates for this origin.
  bool AnyIs(State state, std::string_view authority) const;

  const GatewayPolicy& policy_;
  const std::string& peer_;
  signet_requester& requester_;
  Watch& wake_;
  bool started_ = false;
  std::vector<State> states_;          // of policy.server_certificates
  const std::shared_ptr<bool> alive_;  // the owner of signatures that come later
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_CONNECTION_CERTIFICATES_H_
