// What the file of --config says of access tokens: [[token]] tables, and keys of a [[path]].
// Complaints are ConfigurationErrors.
#ifndef SIGNET_CLIENT_LIB_TOOLS_TOKEN_CONFIGURATION_H_
#define SIGNET_CLIENT_LIB_TOOLS_TOKEN_CONFIGURATION_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client-lib/tools/gateway_configuration.h"
#include "client-lib/tools/token_requirement.h"
#include "client-lib/tools/toml_table.h"

namespace signet::tools {

// The name of no [[certificate]]: that of the TLS handshake.
inline constexpr std::string_view kHandshake = "handshake";

// Adds an issuer; names of files are relative to the folder of `file`.
void ReadTokenIssuer(const TomlTable& table, const std::string& file, GatewayConfiguration& to);

// Nothing when the path wants no token. `kinds` are the certificates that it asks for.
std::optional<TokenRequirement> ReadTokenRequirement(const TomlTable& path,
                                                     const std::vector<size_t>& kinds,
                                                     const GatewayConfiguration& configuration);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_TOKEN_CONFIGURATION_H_
