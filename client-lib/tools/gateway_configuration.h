// What an operator decides: the file of --config, and the options that add to it.
#ifndef SIGNET_CLIENT_LIB_TOOLS_GATEWAY_CONFIGURATION_H_
#define SIGNET_CLIENT_LIB_TOOLS_GATEWAY_CONFIGURATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client-lib/tools/backend_address.h"
#include "client-lib/tools/requirements.h"
#include "client-lib/tools/server_certificate.h"
#include "client-lib/tools/token_requirement.h"
#include "client-lib/tools/tunnels.h"

namespace signet::tools {

struct GatewayConfiguration {
  std::string listen;  // ADDR:PORT
  std::string certificate;
  std::string key;
  bool http3 = false;                    // on UDP, beside HTTP/2
  uint32_t http3_retry_above = 128;      // handshakes; then QUIC's Retry for others
  uint32_t decision_timeout_ms = 60000;  // how long a request waits for the client's certificates
  uint32_t idle_timeout_ms = 120000;     // a connection on which nothing moves is ended
  uint32_t drain_timeout_ms = 10000;     // what is in progress at the end has so long to finish
  bool handshake_certificate = false;    // each client is asked for one in the handshake, too
  std::vector<TokenIssuer> issuers;
  Requirements requirements;
  std::vector<ServerCertificate> server_certificates;  // besides the one of TLS handshakes

  std::vector<TunnelTarget> tunnels;  // all that a client may CONNECT to

  std::optional<BackendAddress> backend;  // without one the gateway answers by itself
  uint32_t backend_timeout_ms = 60000;    // for each step of it
  uint32_t backend_connections = 1024;    // at the same time, at most
  std::optional<size_t> client_cert;      // the kind that travels in Client-Cert
  bool client_cert_chain = true;
};

// Reads the file of --config; names in it are relative to its folder. Nothing, with "FILE:LINE:
// reason" in `error`, when any of it is not understood or can't be used. Looks the backend's name
// up and asks the agent for keys, which may take long.
std::optional<GatewayConfiguration> LoadGatewayConfigurationSlowly(const std::string& file,
                                                                   std::string& error);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_GATEWAY_CONFIGURATION_H_
