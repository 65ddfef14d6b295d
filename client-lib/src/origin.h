// An https origin (RFC 6454), the only kind that a certificate speaks for.
#ifndef SIGNET_CLIENT_LIB_SRC_ORIGIN_H_
#define SIGNET_CLIENT_LIB_SRC_ORIGIN_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace signet {

// A value.
struct Origin {
  std::string host;  // in lower case, an IPv6 address without its brackets
  uint16_t port;

  friend auto operator<=>(const Origin&, const Origin&) = default;
};

// The ASCII serialization of RFC 6454 section 6.2: "https://host" or "https://host:port" and
// nothing behind it. Nothing for anything else, other schemes and wildcards included.
std::optional<Origin> ParseHttpsOrigin(std::string_view text);

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_ORIGIN_H_
