// What the provider can do: a row for each kind of key and for each way to sign.
#ifndef SIGNET_PROVIDERS_OPENSSL_ALGORITHM_H_
#define SIGNET_PROVIDERS_OPENSSL_ALGORITHM_H_

#include <openssl/evp.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace signet::openssl {

struct KeyType {
  const char* name;       // as EVP_PKEY_is_a has it
  const char* names;      // all of them, for the tables of OpenSSL
  const char* signature;  // its signature algorithm
};
inline constexpr KeyType kEc{"EC", "EC:id-ecPublicKey:1.2.840.10045.2.1", "ECDSA"};
inline constexpr KeyType kRsa{"RSA", "RSA:rsaEncryption:1.2.840.113549.1.1.1", "RSA"};
inline constexpr KeyType kEd25519{"ED25519", "ED25519:1.3.101.112", "ED25519"};

struct Scheme {
  const KeyType* key;
  const char* curve;                      // null: any
  const char* digest;                     // null: none, the message itself is signed
  uint16_t number;                        // TLS SignatureScheme
  std::span<const uint8_t> algorithm_id;  // DER of AlgorithmIdentifier
};

// Null when there is no such: the key's curve goes with one digest alone, as in TLS 1.3. `digest`
// may be null or empty.
const Scheme* FindScheme(EVP_PKEY* key, OSSL_LIB_CTX* library, const char* digest);

// What the key signs with when nobody says; null: whatever OpenSSL would take.
const char* DefaultDigest(EVP_PKEY* key);

}  // namespace signet::openssl

#endif  // SIGNET_PROVIDERS_OPENSSL_ALGORITHM_H_
