#include "providers/pkcs11/signing_scheme.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <iterator>
#include <memory>

namespace signet::providers::pkcs11 {
namespace {

using wire::SignatureScheme;

constexpr SigningScheme kSchemes[] = {
    {SignatureScheme::kEcdsaSecp256r1Sha256, CKK_EC, CKM_ECDSA, "SHA256"},
    {SignatureScheme::kEcdsaSecp384r1Sha384, CKK_EC, CKM_ECDSA, "SHA384"},
    {SignatureScheme::kEcdsaSecp521r1Sha512, CKK_EC, CKM_ECDSA, "SHA512"},
    {SignatureScheme::kRsaPssRsaeSha256,
     CKK_RSA,
     CKM_RSA_PKCS_PSS,
     "SHA256",
     {CKM_SHA256, CKG_MGF1_SHA256, 32}},
    {SignatureScheme::kRsaPssRsaeSha384,
     CKK_RSA,
     CKM_RSA_PKCS_PSS,
     "SHA384",
     {CKM_SHA384, CKG_MGF1_SHA384, 48}},
    {SignatureScheme::kRsaPssRsaeSha512,
     CKK_RSA,
     CKM_RSA_PKCS_PSS,
     "SHA512",
     {CKM_SHA512, CKG_MGF1_SHA512, 64}},
    {SignatureScheme::kEd25519, CKK_EC_EDWARDS, CKM_EDDSA, nullptr},
};

struct Free {
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};

// ECDSA-Sig-Value (RFC 3279 section 2.2.3).
std::optional<wire::Bytes> DerSignature(wire::BytesView r_and_s) {
  std::unique_ptr<ECDSA_SIG, Free> signature(ECDSA_SIG_new());
  const size_t size = r_and_s.size() / 2;
  BIGNUM* r = BN_bin2bn(r_and_s.data(), static_cast<int>(size), nullptr);
  BIGNUM* s = BN_bin2bn(r_and_s.data() + size, static_cast<int>(size), nullptr);
  if (signature == nullptr || ECDSA_SIG_set0(signature.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return std::nullopt;
  }
  uint8_t* der = nullptr;
  const int der_size = i2d_ECDSA_SIG(signature.get(), &der);
  if (der_size <= 0) return std::nullopt;
  wire::Bytes result(der, der + der_size);
  OPENSSL_free(der);
  return result;
}

}  // namespace

std::vector<const SigningScheme*> SchemesOf(CK_KEY_TYPE key) {
  std::vector<const SigningScheme*> schemes;
  for (const SigningScheme& scheme : kSchemes) {
    if (scheme.key == key) schemes.push_back(&scheme);
  }
  return schemes;
}

const SigningScheme* FindScheme(SignatureScheme scheme) {
  const auto* found = std::ranges::find(kSchemes, scheme, &SigningScheme::scheme);
  return found == std::end(kSchemes) ? nullptr : found;
}

wire::Bytes SigningInput(const SigningScheme& scheme, wire::BytesView message) {
  if (scheme.hash == nullptr) return wire::Copy(message);
  wire::Bytes hash(EVP_MAX_MD_SIZE);
  size_t size = 0;
  if (EVP_Q_digest(nullptr, scheme.hash, nullptr, message.data(), message.size(), hash.data(),
                   &size) != 1) {
    ERR_clear_error();
    size = 0;
  }
  hash.resize(size);
  return hash;
}

std::optional<wire::Bytes> TlsSignature(const SigningScheme& scheme, size_t size,
                                        wire::BytesView raw) {
  if (raw.size() != size) return std::nullopt;
  return scheme.mechanism == CKM_ECDSA ? DerSignature(raw) : wire::Copy(raw);
}

}  // namespace signet::providers::pkcs11
