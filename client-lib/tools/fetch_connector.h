// Makes the connections of signet-fetch: straight to a server, or through a tunnel.
#ifndef SIGNET_CLIENT_LIB_TOOLS_FETCH_CONNECTOR_H_
#define SIGNET_CLIENT_LIB_TOOLS_FETCH_CONNECTOR_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "client-lib/tools/endpoint.h"
#include "client-lib/tools/fetch.h"
#include "client-lib/tools/fetch_connection.h"
#include "client-lib/tools/fetch_report.h"
#include "client-lib/tools/fetch_resolver.h"
#include "client-lib/tools/fetch_tunnel.h"
#include "client-lib/tools/https_connect.h"
#include "client-lib/tools/quic_tls.h"
#include "client-lib/tools/tls_stream.h"

namespace signet::tools {

class FetchConnector {
 public:
  // Both outlive this, and this the connections.
  FetchConnector(const FetchOptions& options, FetchReport& report)
      : options_(options), report_(report), resolver_(options.resolved, options.connect) {}

  // Loads whom to trust. False: the report says why.
  bool Prepare();
  const FetchResolver& resolver() const { return resolver_; }

  // Null: the report says why. `await` is called while the TLS handshake waits.
  std::unique_ptr<FetchConnection> ConnectSlowly(const Endpoint& server, const Await& await);
  std::unique_ptr<FetchConnection> ConnectThroughSlowly(std::unique_ptr<FetchTunnel> tunnel,
                                                        const Endpoint& server, const Await& await);

 private:
  // What is shown to servers that ask in the handshake.
  bool UseCertificates(std::string& error);
  std::unique_ptr<FetchConnection> ConnectHttp3Slowly(const Endpoint& server);
  std::unique_ptr<FetchConnection> StartHttp2(std::optional<HttpsConnection> https,
                                              const Endpoint& server);

  const FetchOptions& options_;
  FetchReport& report_;
  const FetchResolver resolver_;
  SslContext context_;
  signet_openssl_trust trust_{};
  GnutlsCredentials credentials_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_FETCH_CONNECTOR_H_
