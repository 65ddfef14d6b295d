// TLS SignatureScheme as an X.509 AlgorithmIdentifier (RFC 5758, RFC 4055, RFC 8410). Private to
// agent/identity.
#ifndef SIGNET_AGENT_IDENTITY_SIGNATURE_ALGORITHM_H_
#define SIGNET_AGENT_IDENTITY_SIGNATURE_ALGORITHM_H_

#include "agent/identity/openssl.h"
#include "ipc/wire/signature_scheme.h"

namespace signet::agent {

// Null for a scheme that is not a TLS 1.3 signature.
OpenSslPtr<X509_ALGOR> MakeSignatureAlgorithm(wire::SignatureScheme scheme);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_IDENTITY_SIGNATURE_ALGORITHM_H_
