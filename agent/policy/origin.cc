#include "agent/policy/origin.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "agent/policy/glob.h"

namespace signet::agent {
namespace {

constexpr size_t kMaxHostLength = 255;  // RFC 1035 section 2.3.4
constexpr absl::string_view kScheme = "https://";
constexpr uint16_t kDefaultPort = 443;

absl::Status Refuse(absl::string_view text, absl::string_view why) {
  // What a caller sent may be long and is not ours: show the beginning, escape the rest away.
  return absl::InvalidArgumentError(absl::StrCat("origin \"", absl::CHexEscape(text.substr(0, 80)),
                                                 "\": ", why,
                                                 "; write https://host or https://host:port"));
}

// "host[:port]" cut in two; the brackets of IPv6 stay with the host.
struct Authority {
  std::string host;
  std::optional<absl::string_view> port;
};

absl::StatusOr<Authority> SplitAuthority(absl::string_view text) {
  if (!std::all_of(text.begin(), text.end(),
                   [](unsigned char c) { return c > 0x20 && c < 0x7f; })) {
    return Refuse(text, "only printable ASCII is allowed (write an international name as xn--...)");
  }
  absl::string_view rest = text;
  if (!absl::StartsWithIgnoreCase(rest, kScheme)) return Refuse(text, "the scheme is not https");
  rest.remove_prefix(kScheme.size());
  if (rest.find('@') != rest.npos) return Refuse(text, "a user name is not part of an origin");
  if (rest.find_first_of("/\\?#") != rest.npos) {
    return Refuse(text, "a path, query or fragment is not part of an origin");
  }
  size_t host_size = std::min(rest.find(':'), rest.size());
  if (absl::StartsWith(rest, "[")) {
    const size_t bracket = rest.find(']');
    if (bracket == rest.npos) return Refuse(text, "\"]\" is missing");
    host_size = bracket + 1;
  }
  Authority authority{absl::AsciiStrToLower(rest.substr(0, host_size)), std::nullopt};
  rest.remove_prefix(authority.host.size());
  if (rest.empty()) return authority;
  if (!absl::ConsumePrefix(&rest, ":") || rest.empty())
    return Refuse(text, "the port is malformed");
  authority.port = rest;
  return authority;
}

absl::StatusOr<uint16_t> ParsePort(absl::string_view text, absl::string_view port) {
  uint32_t number = 0;
  const bool digits =
      port.size() <= 5 && std::all_of(port.begin(), port.end(), absl::ascii_isdigit);
  if (!digits || !absl::SimpleAtoi(port, &number) || number == 0 || number > 65535) {
    return Refuse(text, "the port is not a number from 1 to 65535");
  }
  return static_cast<uint16_t>(number);
}

bool IsHostCharacter(char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; }

// Does it look like an IPv4 address (WHATWG: the last label is a number)? Then it must be one, in
// the usual form, so that an address has one spelling only.
bool EndsInNumber(absl::string_view host) {
  const absl::string_view last = host.substr(host.rfind('.') + 1);
  return std::all_of(last.begin(), last.end(), absl::ascii_isdigit) || absl::StartsWith(last, "0x");
}

// The host in its one spelling: IPv6 as inet_ntop writes it.
absl::StatusOr<std::string> NormaliseHost(absl::string_view text, std::string host) {
  if (host.empty()) return Refuse(text, "the host is missing");
  if (host.size() > kMaxHostLength) return Refuse(text, "the host is too long");
  if (host.front() == '[') {
    in6_addr address;
    char printed[INET6_ADDRSTRLEN];
    if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &address) != 1 ||
        inet_ntop(AF_INET6, &address, printed, sizeof(printed)) == nullptr) {
      return Refuse(text, "not an IPv6 address");
    }
    return absl::StrCat("[", printed, "]");
  }
  for (absl::string_view label : absl::StrSplit(host, '.')) {
    if (label.empty()) return Refuse(text, "the host has an empty label (a dot too many)");
    if (!std::all_of(label.begin(), label.end(), IsHostCharacter)) {
      return Refuse(text, "the host has a character that host names can't have");
    }
  }
  in_addr address;
  if (EndsInNumber(host) && inet_pton(AF_INET, host.c_str(), &address) != 1) {
    return Refuse(text, "not an IPv4 address");
  }
  return host;
}

// A host with `*` in it can't be normalised further, but must still be able to match something.
absl::Status CheckHostPattern(absl::string_view text, absl::string_view host) {
  if (host.size() > kMaxHostLength) return Refuse(text, "the host is too long");
  const bool ipv6 = host.front() == '[';
  if (ipv6) host = host.substr(1, host.size() - 2);
  for (char c : host) {
    const bool fits = ipv6 ? absl::ascii_isxdigit(c) || c == ':' : IsHostCharacter(c);
    if (!fits && c != '.' && c != '*') {
      return Refuse(text, "the host has a character that host names can't have");
    }
  }
  if (absl::StrContains(host, "..") || host.front() == '.' || (!ipv6 && host.back() == '.')) {
    return Refuse(text, "the host has an empty label (a dot too many)");
  }
  return absl::OkStatus();
}

}  // namespace

std::string Origin::ToString() const { return absl::StrCat("https://", host, ":", port); }

absl::StatusOr<Origin> ParseOrigin(std::string_view given) {
  const absl::string_view text(given.data(), given.size());
  absl::StatusOr<Authority> authority = SplitAuthority(text);
  if (!authority.ok()) return authority.status();
  absl::StatusOr<std::string> host = NormaliseHost(text, std::move(authority->host));
  if (!host.ok()) return host.status();
  Origin origin{*std::move(host), kDefaultPort};
  if (!authority->port) return origin;
  const absl::StatusOr<uint16_t> port = ParsePort(text, *authority->port);
  if (!port.ok()) return port.status();
  origin.port = *port;
  return origin;
}

absl::StatusOr<OriginPattern> OriginPattern::Parse(std::string_view given) {
  const absl::string_view text(given.data(), given.size());
  absl::StatusOr<Authority> authority = SplitAuthority(text);
  if (!authority.ok()) return authority.status();
  OriginPattern pattern;
  if (absl::StrContains(authority->host, "*")) {
    if (absl::Status fits = CheckHostPattern(text, authority->host); !fits.ok()) return fits;
    pattern.host_ = std::move(authority->host);
  } else {
    absl::StatusOr<std::string> host = NormaliseHost(text, std::move(authority->host));
    if (!host.ok()) return host.status();
    pattern.host_ = *std::move(host);
  }
  pattern.port_ = kDefaultPort;
  if (!authority->port) return pattern;
  if (*authority->port == "*") {
    pattern.port_.reset();
    return pattern;
  }
  const absl::StatusOr<uint16_t> port = ParsePort(text, *authority->port);
  if (!port.ok()) return port.status();
  pattern.port_ = *port;
  return pattern;
}

bool OriginPattern::Matches(const Origin& origin) const {
  return (!port_ || *port_ == origin.port) && GlobMatches(host_, origin.host);
}

bool OriginPattern::Covers(const OriginPattern& other) const {
  // A star of `other` is an ordinary character here, which only a star of ours matches.
  return (!port_ || port_ == other.port_) && GlobMatches(host_, other.host_);
}

std::string OriginPattern::ToString() const {
  return absl::StrCat("https://", host_, ":", port_ ? absl::StrCat(*port_) : "*");
}

}  // namespace signet::agent
