// Web origins (RFC 6454) and the patterns that rules use.
#ifndef SIGNET_AGENT_POLICY_ORIGIN_H_
#define SIGNET_AGENT_POLICY_ORIGIN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace signet::agent {

// https://host:port with a lower-case host and an explicit port. A host has one spelling: addresses
// as inet_ntop writes them, no trailing dot, international names in their ASCII form as given.
// Refused (kInvalidArgument): another scheme, user information, path, query, non-ASCII.
struct Origin {
  std::string host;  // IPv6 in brackets
  uint16_t port = 443;

  std::string ToString() const;
  friend bool operator==(const Origin&, const Origin&) = default;
};
absl::StatusOr<Origin> ParseOrigin(std::string_view text);

// `*` may stand for any run of characters in the host and for the whole port. Without a port, 443.
class OriginPattern {
 public:
  static absl::StatusOr<OriginPattern> Parse(std::string_view text);
  bool Matches(const Origin& origin) const;
  // Does it match every origin that `other` matches? A no may be wrong, a yes never is.
  bool Covers(const OriginPattern& other) const;
  std::string ToString() const;  // normalised
  friend bool operator==(const OriginPattern&, const OriginPattern&) = default;

 private:
  std::string host_;
  std::optional<uint16_t> port_;  // nothing = any
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_POLICY_ORIGIN_H_
