#include "client-lib/tools/tunnel_configuration.h"

#include <algorithm>
#include <optional>
#include <string>

#include "client-lib/tools/backend_address.h"
#include "client-lib/tools/endpoint.h"

namespace signet::tools {
namespace {

constexpr int64_t kMaxConnections = 65536;

Endpoint ReadPlace(const TomlTable& table, const std::string& key, const std::string& text) {
  std::optional<Endpoint> place = ParseTunnelTarget(text);
  if (!place) {
    table.Complain(key, key + " \"" + text + "\": write HOST:PORT, one host and one port");
  }
  return *place;
}

}  // namespace

void ReadTunnelSlowly(const TomlTable& table, std::vector<TunnelTarget>& to) {
  table.OnlyKeys({"target", "address", "connections"});
  TunnelTarget tunnel;
  tunnel.target = ReadPlace(table, "target", table.RequireString("target"));
  if (std::ranges::count(to, tunnel.target, &TunnelTarget::target) > 0) {
    table.Complain("target",
                   "a second [[tunnel]] to " + ToString(tunnel.target) + "; name each target once");
  }
  const std::optional<std::string> address = table.String("address");
  const std::string key = address ? "address" : "target";
  const Endpoint place = address ? ReadPlace(table, key, *address) : tunnel.target;
  std::string error;
  tunnel.addresses = LookUpSlowly(place, error);
  if (tunnel.addresses.empty()) {
    table.Complain(
        key, ToString(place) + ": " + error + "; write an address, or a name that is known here");
  }
  tunnel.connections = static_cast<size_t>(
      table.Integer("connections", 1, kMaxConnections).value_or(kDefaultTunnels));
  to.push_back(std::move(tunnel));
}

}  // namespace signet::tools
