// What the file of --config says of tunnels: [[tunnel]] tables. Complaints are ConfigurationErrors.
#ifndef SIGNET_CLIENT_LIB_TOOLS_TUNNEL_CONFIGURATION_H_
#define SIGNET_CLIENT_LIB_TOOLS_TUNNEL_CONFIGURATION_H_

#include <vector>

#include "client-lib/tools/toml_table.h"
#include "client-lib/tools/tunnels.h"

namespace signet::tools {

// Adds a target, and looks it up, which may take long.
void ReadTunnelSlowly(const TomlTable& table, std::vector<TunnelTarget>& to);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_TUNNEL_CONFIGURATION_H_
