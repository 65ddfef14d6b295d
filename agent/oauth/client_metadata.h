// What an authorisation server is told of a client that authenticates with a certificate: client
// registration metadata (RFC 7591) of RFC 8705 sections 2.1.2, 2.2.2 and 3.4. Pure; any thread.
#ifndef SIGNET_AGENT_OAUTH_CLIENT_METADATA_H_
#define SIGNET_AGENT_OAUTH_CLIENT_METADATA_H_

#include <vector>

#include "absl/status/statusor.h"
#include "agent/oauth/jwk.h"
#include "agent/oauth/subject_name.h"

namespace signet::oauth {

// tls_client_auth: the server trusts the certificate's issuer and knows the client by one name,
// which must be in the leaf of `chain` (DER, leaf first). kInvalidArgument unless there is exactly
// one; the error lists what there is to choose from.
absl::StatusOr<Json> TlsClientAuthMetadata(const std::vector<wire::Bytes>& chain,
                                           const std::vector<SubjectName>& names);

// self_signed_tls_client_auth: the server knows the certificates themselves, whoever issued them.
// There are several while one is exchanged for the next.
absl::StatusOr<Json> SelfSignedMetadata(const std::vector<std::vector<wire::Bytes>>& chains);

// A JSON Web Key Set (RFC 7517 section 5) with the leaf of each chain.
absl::StatusOr<Json> ToJwkSet(const std::vector<std::vector<wire::Bytes>>& chains);

}  // namespace signet::oauth

#endif  // SIGNET_AGENT_OAUTH_CLIENT_METADATA_H_
