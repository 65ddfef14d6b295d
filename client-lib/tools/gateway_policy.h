// What holds for every connection of the gateway.
#ifndef SIGNET_CLIENT_LIB_TOOLS_GATEWAY_POLICY_H_
#define SIGNET_CLIENT_LIB_TOOLS_GATEWAY_POLICY_H_

#include <openssl/x509.h>
#include <signet/connection.h>

#include <iosfwd>
#include <string>
#include <vector>

#include "client-lib/tools/gateway_configuration.h"
#include "client-lib/tools/issuer_keys.h"

namespace signet::tools {

struct GatewayPolicy : GatewayConfiguration {
  signet_code_points code_points;  // of HTTP/2
  signet_code_points code_points_h3;
  std::ostream* log;                 // one JSON object a line
  IssuerKeysList issuer_keys;        // of the issuers
  X509* own_certificate;             // of TLS handshakes
  std::vector<std::string> origins;  // all that are served, with server_certificates
  std::string alt_svc;               // over HTTP/2: where HTTP/3 is; empty = nowhere
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_GATEWAY_POLICY_H_
