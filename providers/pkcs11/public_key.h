// The public half of a key on a token.
#ifndef SIGNET_PROVIDERS_PKCS11_PUBLIC_KEY_H_
#define SIGNET_PROVIDERS_PKCS11_PUBLIC_KEY_H_

#include <openssl/evp.h>
#include <p11-kit/pkcs11.h>

#include <optional>
#include <string>
#include <vector>

#include "ipc/wire/bytes.h"
#include "providers/pkcs11/module.h"
#include "providers/pkcs11/signing_scheme.h"

namespace signet::providers::pkcs11 {

struct PublicKey {
  CK_KEY_TYPE type;
  std::vector<const SigningScheme*> schemes;  // that a key of this kind signs with
  size_t signature_size;                      // of what C_Sign gives
  wire::Bytes info;                           // SubjectPublicKeyInfo, DER
};

// Nothing, with CKR_OK, when the object is no key of a kind that TLS 1.3 signs with: P-256, P-384,
// P-521, Ed25519, RSA of 2048 to 8192 bits.
CK_RV ReadPublicKey(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                    std::optional<PublicKey>& key);

// The same for a key from elsewhere, such as a certificate.
std::optional<PublicKey> UsablePublicKey(const EVP_PKEY& key);

// "p256", "ed25519", "rsa4096", ...: also those kinds that we can use and not make.
std::string AlgorithmOf(const PublicKey& key);

// SubjectPublicKeyInfo of what CKA_EC_POINT of an Ed25519 key and an RSA key's attributes hold.
// Nothing when there is no such key.
std::optional<wire::Bytes> Ed25519PublicKey(wire::BytesView ec_point);
std::optional<wire::Bytes> RsaPublicKey(wire::BytesView modulus, wire::BytesView exponent);

}  // namespace signet::providers::pkcs11

#endif  // SIGNET_PROVIDERS_PKCS11_PUBLIC_KEY_H_
