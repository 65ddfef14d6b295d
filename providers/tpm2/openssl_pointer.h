// Owns what OpenSSL allocates.
#ifndef SIGNET_PROVIDERS_TPM2_OPENSSL_POINTER_H_
#define SIGNET_PROVIDERS_TPM2_OPENSSL_POINTER_H_

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "ipc/wire/bytes.h"

namespace signet::providers {

struct OpenSslDeleter {
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
  void operator()(EVP_PKEY* pkey) const { EVP_PKEY_free(pkey); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
  void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
  void operator()(uint8_t* bytes) const { OPENSSL_free(bytes); }
};
template <typename T>
using OpenSslPointer = std::unique_ptr<T, OpenSslDeleter>;

// Takes over what an i2d function allocated.
inline std::optional<wire::Bytes> TakeEncoded(uint8_t* der, int size) {
  OpenSslPointer<uint8_t> owner(der);
  if (size <= 0) return std::nullopt;
  return wire::Bytes(der, der + size);
}

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_TPM2_OPENSSL_POINTER_H_
