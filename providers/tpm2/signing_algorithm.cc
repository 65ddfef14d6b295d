#include "providers/tpm2/signing_algorithm.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <algorithm>
#include <iterator>

#include "providers/tpm2/openssl_pointer.h"

namespace signet::providers {
namespace {

using wire::SignatureScheme;

constexpr SigningScheme kP256Schemes[] = {
    {SignatureScheme::kEcdsaSecp256r1Sha256, TPM2_ALG_ECDSA, TPM2_ALG_SHA256, "SHA256"}};
constexpr SigningScheme kP384Schemes[] = {
    {SignatureScheme::kEcdsaSecp384r1Sha384, TPM2_ALG_ECDSA, TPM2_ALG_SHA384, "SHA384"}};
constexpr SigningScheme kRsaSchemes[] = {
    {SignatureScheme::kRsaPssRsaeSha256, TPM2_ALG_RSAPSS, TPM2_ALG_SHA256, "SHA256"},
    {SignatureScheme::kRsaPssRsaeSha384, TPM2_ALG_RSAPSS, TPM2_ALG_SHA384, "SHA384"},
    {SignatureScheme::kRsaPssRsaeSha512, TPM2_ALG_RSAPSS, TPM2_ALG_SHA512, "SHA512"}};

constexpr SigningAlgorithm kAlgorithms[] = {
    {KeyAlgorithm::kP256, TPM2_ALG_ECC, kP256Schemes, 32, TPM2_ECC_NIST_P256, "prime256v1"},
    {KeyAlgorithm::kP384, TPM2_ALG_ECC, kP384Schemes, 48, TPM2_ECC_NIST_P384, "secp384r1"},
    {KeyAlgorithm::kRsa2048, TPM2_ALG_RSA, kRsaSchemes, 256},
};

bool IsOf(const SigningAlgorithm& algorithm, const TPMT_PUBLIC& area) {
  if (area.type != algorithm.type) return false;
  return area.type == TPM2_ALG_ECC ? area.parameters.eccDetail.curveID == algorithm.curve
                                   : area.parameters.rsaDetail.keyBits == 8 * algorithm.size;
}

TPMU_PUBLIC_PARMS Parameters(const SigningAlgorithm& algorithm) {
  TPMU_PUBLIC_PARMS parameters{};
  if (algorithm.type == TPM2_ALG_ECC) {
    TPMS_ECC_PARMS& ecc = parameters.eccDetail;
    ecc.curveID = algorithm.curve;
    ecc.symmetric.algorithm = TPM2_ALG_NULL;
    ecc.scheme.scheme = TPM2_ALG_NULL;
    ecc.kdf.scheme = TPM2_ALG_NULL;
  } else {
    TPMS_RSA_PARMS& rsa = parameters.rsaDetail;
    rsa.keyBits = static_cast<TPM2_KEY_BITS>(8 * algorithm.size);
    rsa.symmetric.algorithm = TPM2_ALG_NULL;
    rsa.scheme.scheme = TPM2_ALG_NULL;
  }
  return parameters;
}

std::optional<wire::Bytes> EcdsaSignature(const TPMS_SIGNATURE_ECDSA& pair) {
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
  return TakeEncoded(der, size);
}

}  // namespace

std::span<const SigningAlgorithm> SigningAlgorithms() { return kAlgorithms; }

const SigningAlgorithm* FindSigningAlgorithm(KeyAlgorithm key) {
  const auto* found = std::ranges::find(kAlgorithms, key, &SigningAlgorithm::key);
  return found == std::end(kAlgorithms) ? nullptr : found;
}

const SigningAlgorithm* FindSigningAlgorithm(const TPMT_PUBLIC& area) {
  if ((area.objectAttributes & TPMA_OBJECT_SIGN_ENCRYPT) == 0 ||
      (area.objectAttributes & TPMA_OBJECT_RESTRICTED) != 0) {
    return nullptr;
  }
  const auto* found = std::ranges::find_if(
      kAlgorithms, [&](const SigningAlgorithm& algorithm) { return IsOf(algorithm, area); });
  return found == std::end(kAlgorithms) ? nullptr : found;
}

std::vector<SigningScheme> SchemesOf(const SigningAlgorithm& algorithm, const TPMT_PUBLIC& area) {
  // The scheme of a key is the same structure for either type, under other names.
  const bool ecc = algorithm.type == TPM2_ALG_ECC;
  const TPM2_ALG_ID padding =
      ecc ? area.parameters.eccDetail.scheme.scheme : area.parameters.rsaDetail.scheme.scheme;
  const TPM2_ALG_ID hash = ecc ? area.parameters.eccDetail.scheme.details.anySig.hashAlg
                               : area.parameters.rsaDetail.scheme.details.anySig.hashAlg;
  std::vector<SigningScheme> schemes;
  for (const SigningScheme& scheme : algorithm.schemes) {
    if (padding == TPM2_ALG_NULL || (padding == scheme.padding && hash == scheme.hash)) {
      schemes.push_back(scheme);
    }
  }
  return schemes;
}

TPM2B_PUBLIC KeyTemplate(const SigningAlgorithm& algorithm, bool auth) {
  TPM2B_PUBLIC result{};
  TPMT_PUBLIC& area = result.publicArea;
  area.type = algorithm.type;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_USERWITHAUTH |
                          TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                          TPMA_OBJECT_SENSITIVEDATAORIGIN;
  if (!auth) area.objectAttributes |= TPMA_OBJECT_NODA;
  area.parameters = Parameters(algorithm);
  return result;
}

TPMT_PUBLIC_PARMS BoundParameters(const SigningAlgorithm& algorithm, const SigningScheme& scheme) {
  TPMT_PUBLIC_PARMS result{};
  result.type = algorithm.type;
  result.parameters = Parameters(algorithm);
  if (algorithm.type == TPM2_ALG_ECC) {
    result.parameters.eccDetail.scheme.scheme = scheme.padding;
    result.parameters.eccDetail.scheme.details.anySig.hashAlg = scheme.hash;
  } else {
    result.parameters.rsaDetail.scheme.scheme = scheme.padding;
    result.parameters.rsaDetail.scheme.details.anySig.hashAlg = scheme.hash;
  }
  return result;
}

TPMT_SIG_SCHEME TpmScheme(const SigningScheme& scheme) {
  TPMT_SIG_SCHEME result{};
  result.scheme = scheme.padding;
  result.details.any.hashAlg = scheme.hash;
  return result;
}

TPM2B_DIGEST Digest(const SigningScheme& scheme, wire::BytesView message) {
  TPM2B_DIGEST digest{};
  size_t size = 0;
  // Fails only without memory; an empty digest is one that no TPM signs.
  if (EVP_Q_digest(nullptr, scheme.openssl_hash, nullptr, message.data(), message.size(),
                   digest.buffer, &size) == 1) {
    digest.size = static_cast<UINT16>(size);
  }
  return digest;
}

std::optional<wire::Bytes> TlsSignature(const TPMT_SIGNATURE& signature) {
  switch (signature.sigAlg) {
    case TPM2_ALG_ECDSA:
      return EcdsaSignature(signature.signature.ecdsa);
    case TPM2_ALG_RSAPSS: {
      const TPM2B_PUBLIC_KEY_RSA& bytes = signature.signature.rsapss.sig;
      return wire::Bytes(bytes.buffer, bytes.buffer + bytes.size);
    }
    default:
      return std::nullopt;
  }
}

}  // namespace signet::providers
