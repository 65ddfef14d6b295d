#include "client-lib/tools/endpoint.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <charconv>

namespace signet::tools {
namespace {

std::optional<uint16_t> ParsePort(std::string_view text) {
  uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

}  // namespace

bool IsAddress(const std::string& host) {
  in6_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

std::optional<Endpoint> ParseEndpoint(std::string_view text, std::optional<uint16_t> default_port) {
  Endpoint endpoint;
  std::string_view rest;
  if (text.starts_with('[')) {
    size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    endpoint.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    if (endpoint.host.find(':') == std::string::npos || !IsAddress(endpoint.host)) {
      return std::nullopt;
    }
  } else {
    size_t colon = text.find(':');
    endpoint.host = text.substr(0, colon);
    if (colon != std::string_view::npos) rest = text.substr(colon);
    for (char c : endpoint.host) {
      if (!IsHostCharacter(c)) return std::nullopt;
    }
  }
  // To OpenSSL a dot in front means any subdomain.
  if (endpoint.host.empty() || endpoint.host.front() == '.') return std::nullopt;
  std::optional<uint16_t> port = default_port;
  if (!rest.empty()) port = rest.starts_with(':') ? ParsePort(rest.substr(1)) : std::nullopt;
  if (!port) return std::nullopt;
  endpoint.port = *port;
  return endpoint;
}

std::string ToString(const Endpoint& endpoint) {
  std::string port = ":" + std::to_string(endpoint.port);
  bool brackets = endpoint.host.find(':') != std::string::npos;
  return brackets ? "[" + endpoint.host + "]" + port : endpoint.host + port;
}

std::string ToString(const sockaddr_storage& address) {
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&address), sizeof address, host, sizeof host,
                  port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "unknown";
  }
  return ToString(Endpoint{host, ParsePort(port).value_or(0)});
}

}  // namespace signet::tools
