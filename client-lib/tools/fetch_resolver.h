// Where signet-fetch looks for a server: --resolve and --connect before the system's lookup.
#ifndef SIGNET_CLIENT_LIB_TOOLS_FETCH_RESOLVER_H_
#define SIGNET_CLIENT_LIB_TOOLS_FETCH_RESOLVER_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "client-lib/tools/endpoint.h"
#include "client-lib/tools/udp_socket.h"

namespace signet::tools {

// HOST:PORT:ADDRESS of --resolve.
struct ResolvedHost {
  Endpoint server;
  Endpoint place;  // the address, and the same port
};

// An IPv6 address may have brackets. Nothing when it is not understood.
std::optional<ResolvedHost> ParseResolvedHost(std::string_view text);

class FetchResolver {
 public:
  // With `connect`, every server is there.
  FetchResolver(std::vector<ResolvedHost> hosts, std::optional<Endpoint> connect)
      : hosts_(std::move(hosts)), connect_(std::move(connect)) {}

  // What to connect to for `server`: itself where nothing else is said.
  Endpoint PlaceOf(const Endpoint& server) const;
  // Whether a lookup of `server` gives this address and port, which is what RFC 9113 section 9.1.1
  // wants of a connection that is used for another host. Blocks until `deadline_ms` at most.
  bool LeadsToSlowly(const Endpoint& server, const SocketAddress& address,
                     uint64_t deadline_ms) const;

 private:
  const std::vector<ResolvedHost> hosts_;
  const std::optional<Endpoint> connect_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_FETCH_RESOLVER_H_
