#include "client-lib/tools/fetch_resolver.h"

#include <netdb.h>
#include <netinet/in.h>

#include <cstring>
#include <string>

#include "client-lib/tools/host_addresses.h"

namespace signet::tools {
namespace {

bool SameAddress(const sockaddr* one, const sockaddr* other) {
  if (one->sa_family != other->sa_family) return false;
  if (one->sa_family == AF_INET) {
    const auto* a = reinterpret_cast<const sockaddr_in*>(one);
    const auto* b = reinterpret_cast<const sockaddr_in*>(other);
    return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
  }
  const auto* a = reinterpret_cast<const sockaddr_in6*>(one);
  const auto* b = reinterpret_cast<const sockaddr_in6*>(other);
  return one->sa_family == AF_INET6 && a->sin6_port == b->sin6_port &&
         memcmp(&a->sin6_addr, &b->sin6_addr, sizeof a->sin6_addr) == 0;
}

std::string ToLower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

}  // namespace

std::optional<ResolvedHost> ParseResolvedHost(std::string_view text) {
  // The host is a name, so the second colon ends the port.
  const size_t first = text.find(':');
  const size_t second = first == std::string_view::npos ? first : text.find(':', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  std::optional<Endpoint> server = ParseEndpoint(text.substr(0, second));
  std::string_view address = text.substr(second + 1);
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  }
  if (!server || server->port == 0 || !IsAddress(std::string(address))) return std::nullopt;
  server->host = ToLower(server->host);
  return ResolvedHost{*server, {std::string(address), server->port}};
}

Endpoint FetchResolver::PlaceOf(const Endpoint& server) const {
  if (connect_) return *connect_;
  for (const ResolvedHost& each : hosts_) {
    if (each.server == server) return each.place;
  }
  return server;
}

bool FetchResolver::LeadsToSlowly(const Endpoint& server, const SocketAddress& address,
                                  uint64_t deadline_ms) const {
  if (address.size == 0) return false;
  std::string error;
  bool timed_out = false;
  const Addresses found = ResolveSlowly(PlaceOf(server), deadline_ms, error, timed_out);
  for (const addrinfo* each = found.get(); each != nullptr; each = each->ai_next) {
    if (SameAddress(each->ai_addr, address.get())) return true;
  }
  return false;
}

}  // namespace signet::tools
