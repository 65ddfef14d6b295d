// An identity's public key and certificates as JSON Web Key (RFC 7517, RFC 7518 section 6, RFC
// 8037). Pure; any thread.
#ifndef SIGNET_AGENT_OAUTH_JWK_H_
#define SIGNET_AGENT_OAUTH_JWK_H_

#include <nlohmann/json.hpp>
#include <vector>

#include "absl/status/statusor.h"
#include "ipc/wire/bytes.h"

namespace signet::oauth {

// Keys stay in the order in which they are written.
using Json = nlohmann::ordered_json;

// The key of a chain (DER, leaf first, at least one) with the whole chain as x5c. kInvalidArgument
// for a leaf that is no certificate and for a key that JSON Web Keys don't know.
absl::StatusOr<Json> ToJwk(const std::vector<wire::Bytes>& chain);

}  // namespace signet::oauth

#endif  // SIGNET_AGENT_OAUTH_JWK_H_
