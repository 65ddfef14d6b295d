// The public half of a TPM key, to check its signatures with.
#ifndef SIGNET_PROVIDERS_TPM2_PUBLIC_KEY_H_
#define SIGNET_PROVIDERS_TPM2_PUBLIC_KEY_H_

#include <tss2/tss2_tpm2_types.h>

#include <optional>

#include "ipc/wire/bytes.h"
#include "providers/tpm2/openssl_pointer.h"
#include "providers/tpm2/signing_algorithm.h"

namespace signet::providers {

class PublicKey {
 public:
  // nullopt when the area holds no valid point of the curve, or no modulus of the size.
  static std::optional<PublicKey> FromTpm(const SigningAlgorithm& algorithm,
                                          const TPMT_PUBLIC& area);

  const wire::Bytes& spki() const { return spki_; }  // SubjectPublicKeyInfo, DER
  // As a TLS 1.3 peer would: the salt of RSA-PSS must be as long as the hash.
  bool Verifies(const SigningScheme& scheme, const TPM2B_DIGEST& digest,
                wire::BytesView signature) const;

 private:
  PublicKey(OpenSslPointer<EVP_PKEY> pkey, wire::Bytes spki);

  OpenSslPointer<EVP_PKEY> pkey_;
  wire::Bytes spki_;
};

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_TPM2_PUBLIC_KEY_H_
