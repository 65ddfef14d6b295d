// How TLS 1.3's signature schemes are made with PKCS#11.
#ifndef SIGNET_PROVIDERS_PKCS11_SIGNING_SCHEME_H_
#define SIGNET_PROVIDERS_PKCS11_SIGNING_SCHEME_H_

#include <p11-kit/pkcs11.h>

#include <optional>
#include <vector>

#include "ipc/wire/bytes.h"
#include "ipc/wire/signature_scheme.h"

namespace signet::providers::pkcs11 {

struct SigningScheme {
  wire::SignatureScheme scheme;
  CK_KEY_TYPE key;
  CK_MECHANISM_TYPE mechanism;
  const char* hash;  // OpenSSL's name of what the mechanism wants hashed; null: it hashes itself
  CK_RSA_PKCS_PSS_PARAMS pss{};  // of CKM_RSA_PKCS_PSS: salt as long as the hash
};

// Static storage. All schemes of an elliptic curve: a curve has one of them.
std::vector<const SigningScheme*> SchemesOf(CK_KEY_TYPE key);
const SigningScheme* FindScheme(wire::SignatureScheme scheme);  // null: none of ours

// What C_Sign is given.
wire::Bytes SigningInput(const SigningScheme& scheme, wire::BytesView message);

// As TLS 1.3 wants it (RFC 8446 section 4.2.3), from what C_Sign gave: ECDSA's r || s becomes DER.
// Nothing for another size than `size`.
std::optional<wire::Bytes> TlsSignature(const SigningScheme& scheme, size_t size,
                                        wire::BytesView raw);

}  // namespace signet::providers::pkcs11

#endif  // SIGNET_PROVIDERS_PKCS11_SIGNING_SCHEME_H_
