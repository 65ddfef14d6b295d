// HOST:PORT, as people write it.
#ifndef SIGNET_CLIENT_LIB_TOOLS_ENDPOINT_H_
#define SIGNET_CLIENT_LIB_TOOLS_ENDPOINT_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace signet::tools {

struct Endpoint {
  std::string host;  // a name or an address; an IPv6 address has no brackets here
  uint16_t port = 0;

  bool operator==(const Endpoint&) const = default;
};

// "localhost:8443", "127.0.0.1:0", "[::1]:443". Without ":PORT" the default is used, if there is
// one.
std::optional<Endpoint> ParseEndpoint(std::string_view text,
                                      std::optional<uint16_t> default_port = std::nullopt);

// With brackets around an IPv6 address.
std::string ToString(const Endpoint& endpoint);

// Whether `host` is an IPv4 or IPv6 address, not a name.
bool IsAddress(const std::string& host);

// The numeric form of a socket's address.
std::string ToString(const sockaddr_storage& address);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_ENDPOINT_H_
