#include "providers/tpm2/public_key.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <utility>

namespace signet::providers {
namespace {

constexpr uint32_t kDefaultExponent = 65537;  // what a TPM means by 0

OpenSslPointer<EVP_PKEY> FromParameters(const char* type, OSSL_PARAM_BLD* builder) {
  OpenSslPointer<OSSL_PARAM> parameters(OSSL_PARAM_BLD_to_param(builder));
  OpenSslPointer<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* pkey = nullptr;
  if (parameters == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &pkey, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return OpenSslPointer<EVP_PKEY>(pkey);
}

OpenSslPointer<EVP_PKEY> EcKey(const SigningAlgorithm& algorithm, const TPMS_ECC_POINT& point) {
  const size_t size = algorithm.size;
  if (point.x.size > size || point.y.size > size) return nullptr;
  wire::Bytes encoded(1 + 2 * size);  // SEC 1: 04, x, y; a TPM may drop leading zeros
  encoded[0] = 4;
  std::copy_n(point.x.buffer, point.x.size, encoded.begin() + 1 + size - point.x.size);
  std::copy_n(point.y.buffer, point.y.size, encoded.begin() + 1 + 2 * size - point.y.size);
  OpenSslPointer<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                  algorithm.openssl_group, 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, encoded.data(),
                                   encoded.size());
  return FromParameters("EC", builder.get());
}

OpenSslPointer<EVP_PKEY> RsaKey(const SigningAlgorithm& algorithm, const TPMT_PUBLIC& area) {
  const TPM2B_PUBLIC_KEY_RSA& modulus = area.unique.rsa;
  if (modulus.size != algorithm.size) return nullptr;
  const uint32_t exponent = area.parameters.rsaDetail.exponent;
  OpenSslPointer<BIGNUM> n(BN_bin2bn(modulus.buffer, modulus.size, nullptr));
  OpenSslPointer<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_uint32(builder.get(), OSSL_PKEY_PARAM_RSA_E,
                             exponent == 0 ? kDefaultExponent : exponent);
  return FromParameters("RSA", builder.get());
}

}  // namespace

PublicKey::PublicKey(OpenSslPointer<EVP_PKEY> pkey, wire::Bytes spki)
    : pkey_(std::move(pkey)), spki_(std::move(spki)) {}

std::optional<PublicKey> PublicKey::FromTpm(const SigningAlgorithm& algorithm,
                                            const TPMT_PUBLIC& area) {
  OpenSslPointer<EVP_PKEY> pkey =
      algorithm.type == TPM2_ALG_ECC ? EcKey(algorithm, area.unique.ecc) : RsaKey(algorithm, area);
  if (pkey == nullptr) return std::nullopt;
  uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(pkey.get(), &der);
  std::optional<wire::Bytes> spki = TakeEncoded(der, size);
  if (!spki) return std::nullopt;
  return PublicKey(std::move(pkey), *std::move(spki));
}

bool PublicKey::Verifies(const SigningScheme& scheme, const TPM2B_DIGEST& digest,
                         wire::BytesView signature) const {
  OpenSslPointer<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_pkey(nullptr, pkey_.get(), nullptr));
  if (EVP_PKEY_verify_init(context.get()) != 1) return false;
  if (scheme.padding == TPM2_ALG_RSAPSS &&
      (EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_signature_md(context.get(), EVP_get_digestbyname(scheme.openssl_hash)) !=
           1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  return EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.buffer,
                         digest.size) == 1;
}

}  // namespace signet::providers
