// What holds for every connection of the gateway.
#ifndef SIGNET_CLIENT_LIB_TOOLS_GATEWAY_POLICY_H_
#define SIGNET_CLIENT_LIB_TOOLS_GATEWAY_POLICY_H_

#include <signet/connection.h>

#include <iosfwd>

#include "client-lib/tools/gateway_configuration.h"
#include "client-lib/tools/issuer_keys.h"

namespace signet::tools {

struct GatewayPolicy : GatewayConfiguration {
  signet_code_points code_points;  // of HTTP/2
  signet_code_points code_points_h3;
  std::ostream* log;           // one JSON object a line
  IssuerKeysList issuer_keys;  // of the issuers
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_GATEWAY_POLICY_H_
