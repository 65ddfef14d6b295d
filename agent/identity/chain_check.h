// May this chain become the identity's? Private to agent/identity.
#ifndef SIGNET_AGENT_IDENTITY_CHAIN_CHECK_H_
#define SIGNET_AGENT_IDENTITY_CHAIN_CHECK_H_

#include <chrono>
#include <vector>

#include "absl/status/status.h"
#include "agent/identity/identity.h"

namespace signet::agent {

// kInvalidArgument naming the certificate ("certificate 2 (\"CN=...\"): ..."): too long, not X.509
// v3, leaf for another key, out of order, a wrong signature, an issuer that is no authority, key
// usage without digitalSignature, extended key usage that does not fit the kind, expired.
absl::Status CheckChain(const Identity& identity, const std::vector<wire::Bytes>& chain,
                        std::chrono::system_clock::time_point now);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_IDENTITY_CHAIN_CHECK_H_
