// Certificates and public keys as text (RFC 7468).
#ifndef SIGNET_AGENT_IDENTITY_PEM_H_
#define SIGNET_AGENT_IDENTITY_PEM_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "ipc/wire/bytes.h"

namespace signet::agent {

// The DER of all certificates in the text, in order; other text between them is passed over.
// kInvalidArgument for none, for a block that does not decode, and for a private key, which has
// nothing to do in a chain.
absl::StatusOr<std::vector<wire::Bytes>> ParseChainPem(std::string_view text);
std::string ChainToPem(const std::vector<wire::Bytes>& chain);

absl::StatusOr<wire::Bytes> ParsePublicKeyPem(std::string_view text);
std::string PublicKeyToPem(wire::BytesView public_key);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_IDENTITY_PEM_H_
