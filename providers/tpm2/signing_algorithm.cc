#include "providers/tpm2/signing_algorithm.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include <algorithm>

namespace signet::providers {
namespace {

constexpr SigningAlgorithm kAlgorithms[] = {
    {KeyAlgorithm::kP256, wire::SignatureScheme::kEcdsaSecp256r1Sha256, TPM2_ECC_NIST_P256,
     TPM2_ALG_SHA256, "prime256v1", "SHA256", 32},
};

struct OpenSslDeleter {
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(uint8_t* bytes) const { OPENSSL_free(bytes); }
};
template <typename T>
using OpenSslPointer = std::unique_ptr<T, OpenSslDeleter>;

// Takes over what an i2d function allocated.
std::optional<wire::Bytes> Encoded(uint8_t* der, int size) {
  OpenSslPointer<uint8_t> owner(der);
  if (size <= 0) return std::nullopt;
  return wire::Bytes(der, der + size);
}

}  // namespace

std::span<const SigningAlgorithm> SigningAlgorithms() { return kAlgorithms; }

const SigningAlgorithm* FindSigningAlgorithm(KeyAlgorithm key) {
  for (const SigningAlgorithm& algorithm : kAlgorithms) {
    if (algorithm.key == key) return &algorithm;
  }
  return nullptr;
}

const SigningAlgorithm* FindSigningAlgorithm(const TPMT_PUBLIC& area) {
  if (area.type != TPM2_ALG_ECC || (area.objectAttributes & TPMA_OBJECT_SIGN_ENCRYPT) == 0 ||
      (area.objectAttributes & TPMA_OBJECT_RESTRICTED) != 0) {
    return nullptr;
  }
  const TPMS_ECC_PARMS& ecc = area.parameters.eccDetail;
  for (const SigningAlgorithm& algorithm : kAlgorithms) {
    if (algorithm.curve != ecc.curveID) continue;
    // A key may be bound to a scheme; ours are not.
    const bool fits =
        ecc.scheme.scheme == TPM2_ALG_NULL ||
        (ecc.scheme.scheme == TPM2_ALG_ECDSA && ecc.scheme.details.ecdsa.hashAlg == algorithm.hash);
    return fits ? &algorithm : nullptr;
  }
  return nullptr;
}

TPM2B_PUBLIC KeyTemplate(const SigningAlgorithm& algorithm) {
  TPM2B_PUBLIC result{};
  TPMT_PUBLIC& area = result.publicArea;
  area.type = TPM2_ALG_ECC;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
                          TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                          TPMA_OBJECT_SENSITIVEDATAORIGIN;
  TPMS_ECC_PARMS& ecc = area.parameters.eccDetail;
  ecc.curveID = algorithm.curve;
  ecc.symmetric.algorithm = TPM2_ALG_NULL;
  ecc.scheme.scheme = TPM2_ALG_NULL;
  ecc.kdf.scheme = TPM2_ALG_NULL;
  return result;
}

TPMT_SIG_SCHEME TpmScheme(const SigningAlgorithm& algorithm) {
  TPMT_SIG_SCHEME scheme{};
  scheme.scheme = TPM2_ALG_ECDSA;
  scheme.details.ecdsa.hashAlg = algorithm.hash;
  return scheme;
}

TPM2B_DIGEST Digest(const SigningAlgorithm& algorithm, wire::BytesView message) {
  TPM2B_DIGEST digest{};
  size_t size = 0;
  // Fails only without memory; an empty digest is one that no TPM signs.
  if (EVP_Q_digest(nullptr, algorithm.openssl_hash, nullptr, message.data(), message.size(),
                   digest.buffer, &size) == 1) {
    digest.size = static_cast<UINT16>(size);
  }
  return digest;
}

std::optional<wire::Bytes> DerSignature(const TPMT_SIGNATURE& signature) {
  if (signature.sigAlg != TPM2_ALG_ECDSA) return std::nullopt;
  const TPMS_SIGNATURE_ECDSA& pair = signature.signature.ecdsa;
  OpenSslPointer<ECDSA_SIG> ecdsa(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(pair.signatureR.buffer, pair.signatureR.size, nullptr);
  BIGNUM* s = BN_bin2bn(pair.signatureS.buffer, pair.signatureS.size, nullptr);
  if (ECDSA_SIG_set0(ecdsa.get(), r, s) != 1) {  // else it owns them
    BN_free(r);
    BN_free(s);
    return std::nullopt;
  }
  uint8_t* der = nullptr;
  const int size = i2d_ECDSA_SIG(ecdsa.get(), &der);
  return Encoded(der, size);
}

std::optional<PublicKey> PublicKey::FromTpm(const SigningAlgorithm& algorithm,
                                            const TPMT_PUBLIC& area) {
  const TPMS_ECC_POINT& point = area.unique.ecc;
  const size_t size = algorithm.coordinate_size;
  if (point.x.size > size || point.y.size > size) return std::nullopt;
  wire::Bytes encoded(1 + 2 * size);  // SEC 1: 04, x, y; a TPM may drop leading zeros
  encoded[0] = 4;
  std::copy_n(point.x.buffer, point.x.size, encoded.begin() + 1 + size - point.x.size);
  std::copy_n(point.y.buffer, point.y.size, encoded.begin() + 1 + 2 * size - point.y.size);

  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                       const_cast<char*>(algorithm.openssl_group), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, encoded.data(), encoded.size()),
      OSSL_PARAM_construct_end()};
  OpenSslPointer<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* pkey = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &pkey, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
    return std::nullopt;
  }
  PublicKey key;
  key.pkey_.reset(pkey);
  uint8_t* der = nullptr;
  const int der_size = i2d_PUBKEY(pkey, &der);
  std::optional<wire::Bytes> spki = Encoded(der, der_size);
  if (!spki) return std::nullopt;
  key.spki_ = *std::move(spki);
  return key;
}

bool PublicKey::Verifies(const TPM2B_DIGEST& digest, wire::BytesView der_signature) const {
  OpenSslPointer<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_pkey(nullptr, pkey_.get(), nullptr));
  return EVP_PKEY_verify_init(context.get()) == 1 &&
         EVP_PKEY_verify(context.get(), der_signature.data(), der_signature.size(), digest.buffer,
                         digest.size) == 1;
}

}  // namespace signet::providers
