// Is an access token bound to the client's certificate (RFC 8705 section 3)?
#ifndef SIGNET_AGENT_OAUTH_TOKEN_BINDING_H_
#define SIGNET_AGENT_OAUTH_TOKEN_BINDING_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "agent/oauth/jwk.h"

namespace signet::oauth {

// The claims of a signed JWT, unverified: the server that gave it to us over TLS is believed.
// Nothing: it is no such thing, but opaque to its client.
std::optional<Json> ClaimsOf(std::string_view token);

// `confirmed`: the claims of a JWT or the answer of an introspection, whose cnf must name the
// certificate (sections 3.1 and 3.2).
absl::Status CheckBinding(const Json& confirmed, const std::string& thumbprint);

}  // namespace signet::oauth

#endif  // SIGNET_AGENT_OAUTH_TOKEN_BINDING_H_
