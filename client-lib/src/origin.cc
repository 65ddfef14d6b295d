#include "client-lib/src/origin.h"

#include <algorithm>

namespace signet {
namespace {

constexpr std::string_view kScheme = "https://";
constexpr uint16_t kHttpsPort = 443;
constexpr size_t kMaxHost = 253;  // RFC 1035 section 2.3.4, without the root

char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsOfName(char c) {
  return (c >= 'a' && c <= 'z') || IsDigit(c) || c == '-' || c == '.' || c == '_';
}
bool IsOfAddress(char c) { return (c >= 'a' && c <= 'f') || IsDigit(c) || c == ':' || c == '.'; }

// ":443", or nothing at all.
std::optional<uint16_t> ParsePort(std::string_view text) {
  if (text.empty()) return kHttpsPort;
  if (text.front() != ':') return std::nullopt;
  text.remove_prefix(1);
  if (text.empty() || text.size() > 5 || !std::all_of(text.begin(), text.end(), IsDigit)) {
    return std::nullopt;
  }
  uint32_t port = 0;
  for (const char c : text) port = port * 10 + static_cast<uint32_t>(c - '0');
  if (port == 0 || port > UINT16_MAX) return std::nullopt;
  return static_cast<uint16_t>(port);
}

}  // namespace

std::optional<Origin> ParseHttpsOrigin(std::string_view text) {
  if (text.size() > kScheme.size() + kMaxHost + sizeof "[]:65535") return std::nullopt;
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), ToLower);
  std::string_view rest = lower;
  if (!rest.starts_with(kScheme)) return std::nullopt;
  rest.remove_prefix(kScheme.size());

  const bool bracketed = rest.starts_with('[');
  if (bracketed) rest.remove_prefix(1);
  const std::string_view host = rest.substr(0, rest.find(bracketed ? ']' : ':'));
  rest.remove_prefix(host.size());
  if (bracketed) {
    if (rest.empty()) return std::nullopt;
    rest.remove_prefix(1);
  }
  const auto port = ParsePort(rest);
  // To some matchers of names a dot in front means any subdomain.
  if (!port || host.empty() || host.front() == '.' || host.size() > kMaxHost ||
      !std::all_of(host.begin(), host.end(), bracketed ? IsOfAddress : IsOfName)) {
    return std::nullopt;
  }
  return Origin{std::string(host), *port};
}

}  // namespace signet
