// Access tokens in the gateway's configuration: who issues them, and what a path wants of them.
#ifndef SIGNET_CLIENT_LIB_TOOLS_TOKEN_REQUIREMENT_H_
#define SIGNET_CLIENT_LIB_TOOLS_TOKEN_REQUIREMENT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "client-lib/tools/access_token.h"
#include "client-lib/tools/json_web_keys.h"
#include "client-lib/tools/key_file.h"

namespace signet::tools {

// A [[token]] table.
struct TokenIssuer {
  std::string name;  // how the configuration calls it
  TokenRules rules;
  std::optional<KeyFile> keys_file;
  JsonWebKeys keys;          // of the file, as it was at the start
  std::string keys_url;      // without a file; https
  std::string keys_ca_file;  // PEM, whom to trust there; empty = the system's authorities
};

// Of a [[path]]: a request needs a token of that issuer, bound to one of these certificates.
struct TokenRequirement {
  size_t issuer = 0;            // index of GatewayConfiguration::issuers
  bool handshake = true;        // that of the TLS handshake, as RFC 8705 section 3 says
  std::vector<size_t> kinds;    // proved in the middle of the connection: our extension
  bool reaches_backend = true;  // else Authorization ends here
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_TOKEN_REQUIREMENT_H_
