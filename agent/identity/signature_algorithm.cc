#include "agent/identity/signature_algorithm.h"

#include <openssl/asn1t.h>
#include <openssl/rsa.h>

#include <memory>

namespace signet::agent {
namespace {

using wire::SignatureScheme;

OpenSslPtr<X509_ALGOR> WithoutParameters(int nid) {
  OpenSslPtr<X509_ALGOR> algorithm(X509_ALGOR_new());
  X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(nid), V_ASN1_UNDEF, nullptr);
  return algorithm;
}

// MGF1 with the same hash, salt as long as the hash (RFC 8446 section 4.2.3).
OpenSslPtr<X509_ALGOR> RsaPss(const EVP_MD* hash) {
  const std::unique_ptr<RSA_PSS_PARAMS, decltype(&RSA_PSS_PARAMS_free)> parameters(
      RSA_PSS_PARAMS_new(), RSA_PSS_PARAMS_free);
  parameters->hashAlgorithm = X509_ALGOR_new();
  X509_ALGOR_set_md(parameters->hashAlgorithm, hash);
  ASN1_STRING* mask_hash = nullptr;
  ASN1_item_pack(parameters->hashAlgorithm, ASN1_ITEM_rptr(X509_ALGOR), &mask_hash);
  parameters->maskGenAlgorithm = X509_ALGOR_new();
  X509_ALGOR_set0(parameters->maskGenAlgorithm, OBJ_nid2obj(NID_mgf1), V_ASN1_SEQUENCE, mask_hash);
  parameters->saltLength = ASN1_INTEGER_new();
  ASN1_INTEGER_set(parameters->saltLength, EVP_MD_get_size(hash));

  ASN1_STRING* packed = nullptr;
  ASN1_item_pack(parameters.get(), ASN1_ITEM_rptr(RSA_PSS_PARAMS), &packed);
  OpenSslPtr<X509_ALGOR> algorithm(X509_ALGOR_new());
  X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(NID_rsassaPss), V_ASN1_SEQUENCE, packed);
  return algorithm;
}

}  // namespace

OpenSslPtr<X509_ALGOR> MakeSignatureAlgorithm(SignatureScheme scheme) {
  switch (scheme) {
    case SignatureScheme::kEcdsaSecp256r1Sha256:
      return WithoutParameters(NID_ecdsa_with_SHA256);
    case SignatureScheme::kEcdsaSecp384r1Sha384:
      return WithoutParameters(NID_ecdsa_with_SHA384);
    case SignatureScheme::kEcdsaSecp521r1Sha512:
      return WithoutParameters(NID_ecdsa_with_SHA512);
    case SignatureScheme::kEd25519:
      return WithoutParameters(NID_ED25519);
    case SignatureScheme::kEd448:
      return WithoutParameters(NID_ED448);
    case SignatureScheme::kRsaPssRsaeSha256:
    case SignatureScheme::kRsaPssPssSha256:
      return RsaPss(EVP_sha256());
    case SignatureScheme::kRsaPssRsaeSha384:
    case SignatureScheme::kRsaPssPssSha384:
      return RsaPss(EVP_sha384());
    case SignatureScheme::kRsaPssRsaeSha512:
    case SignatureScheme::kRsaPssPssSha512:
      return RsaPss(EVP_sha512());
    default:
      return nullptr;
  }
}

}  // namespace signet::agent
