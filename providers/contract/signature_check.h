// Does a signature hold? OpenSSL's word, told nothing by the backend but the public key.
#ifndef SIGNET_PROVIDERS_CONTRACT_SIGNATURE_CHECK_H_
#define SIGNET_PROVIDERS_CONTRACT_SIGNATURE_CHECK_H_

#include <span>

#include "ipc/wire/bytes.h"
#include "ipc/wire/signature_scheme.h"

namespace signet::providers {

// Verifies as a TLS 1.3 peer does (RFC 8446 section 4.2.3): the curve must be the scheme's own,
// ECDSA signatures are DER, the RSA-PSS salt is as long as the hash. False for every scheme that
// may not sign a CertificateVerify. `public_key` is a DER SubjectPublicKeyInfo.
bool SignatureHolds(wire::BytesView public_key, wire::SignatureScheme scheme,
                    wire::BytesView message, wire::BytesView signature);

// Every scheme that SignatureHolds can say true for.
std::span<const wire::SignatureScheme> AllTls13Schemes();

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_CONTRACT_SIGNATURE_CHECK_H_
