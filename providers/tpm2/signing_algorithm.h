// The algorithms of TPM keys, as TPM, OpenSSL and TLS call them.
#ifndef SIGNET_PROVIDERS_TPM2_SIGNING_ALGORITHM_H_
#define SIGNET_PROVIDERS_TPM2_SIGNING_ALGORITHM_H_

#include <openssl/evp.h>
#include <tss2/tss2_tpm2_types.h>

#include <memory>
#include <optional>
#include <span>

#include "ipc/wire/bytes.h"
#include "ipc/wire/signature_scheme.h"
#include "providers/key_algorithm.h"

namespace signet::providers {

struct SigningAlgorithm {
  KeyAlgorithm key;
  wire::SignatureScheme scheme;
  TPM2_ECC_CURVE curve;
  TPM2_ALG_ID hash;
  const char* openssl_group;
  const char* openssl_hash;
  size_t coordinate_size;
};

std::span<const SigningAlgorithm> SigningAlgorithms();
// nullptr when there is none, or the key may not sign whatever it is given.
const SigningAlgorithm* FindSigningAlgorithm(KeyAlgorithm key);
const SigningAlgorithm* FindSigningAlgorithm(const TPMT_PUBLIC& area);

// Of a new identity key: sign, userWithAuth, noDA, fixedTPM, fixedParent, sensitiveDataOrigin.
TPM2B_PUBLIC KeyTemplate(const SigningAlgorithm& algorithm);
TPMT_SIG_SCHEME TpmScheme(const SigningAlgorithm& algorithm);

TPM2B_DIGEST Digest(const SigningAlgorithm& algorithm, wire::BytesView message);
// DER, as TLS 1.3 wants it (RFC 8446 section 4.2.3); nullopt when it is a signature of another
// kind.
std::optional<wire::Bytes> DerSignature(const TPMT_SIGNATURE& signature);

// The public half, to check signatures with.
class PublicKey {
 public:
  // nullopt when the area holds no valid point of the curve.
  static std::optional<PublicKey> FromTpm(const SigningAlgorithm& algorithm,
                                          const TPMT_PUBLIC& area);

  const wire::Bytes& spki() const { return spki_; }  // SubjectPublicKeyInfo, DER
  bool Verifies(const TPM2B_DIGEST& digest, wire::BytesView der_signature) const;

 private:
  struct FreePkey {
    void operator()(EVP_PKEY* pkey) const { EVP_PKEY_free(pkey); }
  };
  PublicKey() = default;

  std::unique_ptr<EVP_PKEY, FreePkey> pkey_;
  wire::Bytes spki_;
};

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_TPM2_SIGNING_ALGORITHM_H_
