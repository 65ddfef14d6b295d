// The algorithms of TPM keys, as TPM, OpenSSL and TLS call them.
#ifndef SIGNET_PROVIDERS_TPM2_SIGNING_ALGORITHM_H_
#define SIGNET_PROVIDERS_TPM2_SIGNING_ALGORITHM_H_

#include <tss2/tss2_tpm2_types.h>

#include <optional>
#include <span>
#include <vector>

#include "ipc/wire/bytes.h"
#include "ipc/wire/signature_scheme.h"
#include "providers/key_algorithm.h"

namespace signet::providers {

struct SigningScheme {
  wire::SignatureScheme scheme;
  TPM2_ALG_ID padding;  // TPM2_ALG_ECDSA, TPM2_ALG_RSAPSS
  TPM2_ALG_ID hash;
  const char* openssl_hash;
};

struct SigningAlgorithm {
  KeyAlgorithm key;
  TPM2_ALG_ID type;  // TPM2_ALG_ECC, TPM2_ALG_RSA
  std::span<const SigningScheme> schemes;
  size_t size;  // bytes of a coordinate, of the modulus
  // Of TPM2_ALG_ECC only.
  TPM2_ECC_CURVE curve = TPM2_ECC_NONE;
  const char* openssl_group = nullptr;
};

std::span<const SigningAlgorithm> SigningAlgorithms();
// nullptr when there is none, or the key may not sign whatever it is given.
const SigningAlgorithm* FindSigningAlgorithm(KeyAlgorithm key);
const SigningAlgorithm* FindSigningAlgorithm(const TPMT_PUBLIC& area);
// What a key of that algorithm may sign with: all, unless it is bound to one; then that or none.
std::vector<SigningScheme> SchemesOf(const SigningAlgorithm& algorithm, const TPMT_PUBLIC& area);

// Of a new identity key: sign, userWithAuth, fixedTPM, fixedParent, sensitiveDataOrigin, and noDA
// unless wrong authorisation values are to count.
TPM2B_PUBLIC KeyTemplate(const SigningAlgorithm& algorithm, bool auth);
// Of a key that is bound to the scheme, to ask a TPM whether it has both.
TPMT_PUBLIC_PARMS BoundParameters(const SigningAlgorithm& algorithm, const SigningScheme& scheme);
TPMT_SIG_SCHEME TpmScheme(const SigningScheme& scheme);

TPM2B_DIGEST Digest(const SigningScheme& scheme, wire::BytesView message);
// As TLS 1.3 wants it (RFC 8446 section 4.2.3), DER for ECDSA; nullopt when it is a signature of
// another kind.
std::optional<wire::Bytes> TlsSignature(const TPMT_SIGNATURE& signature);

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_TPM2_SIGNING_ALGORITHM_H_
