#include "agent/identity/signature_check.h"

#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "agent/identity/openssl.h"

namespace signet::agent {
namespace {

using wire::SignatureScheme;

// What a scheme demands of the key; null where it has nothing to say.
struct Requirements {
  SignatureScheme scheme;
  const char* key_type;
  const char* curve;
  const char* digest;
};

constexpr std::array<Requirements, 11> kRequirements{{
    {SignatureScheme::kEcdsaSecp256r1Sha256, "EC", "prime256v1", "SHA256"},
    {SignatureScheme::kEcdsaSecp384r1Sha384, "EC", "secp384r1", "SHA384"},
    {SignatureScheme::kEcdsaSecp521r1Sha512, "EC", "secp521r1", "SHA512"},
    {SignatureScheme::kRsaPssRsaeSha256, "RSA", nullptr, "SHA256"},
    {SignatureScheme::kRsaPssRsaeSha384, "RSA", nullptr, "SHA384"},
    {SignatureScheme::kRsaPssRsaeSha512, "RSA", nullptr, "SHA512"},
    {SignatureScheme::kRsaPssPssSha256, "RSA-PSS", nullptr, "SHA256"},
    {SignatureScheme::kRsaPssPssSha384, "RSA-PSS", nullptr, "SHA384"},
    {SignatureScheme::kRsaPssPssSha512, "RSA-PSS", nullptr, "SHA512"},
    {SignatureScheme::kEd25519, "ED25519", nullptr, nullptr},
    {SignatureScheme::kEd448, "ED448", nullptr, nullptr},
}};

bool Fits(const Requirements& required, const EVP_PKEY& key) {
  if (EVP_PKEY_is_a(&key, required.key_type) != 1) return false;
  if (required.curve == nullptr) return true;
  char curve[64];
  return EVP_PKEY_get_group_name(&key, curve, sizeof(curve), nullptr) == 1 &&
         std::strcmp(curve, required.curve) == 0;
}

bool Verify(EVP_PKEY& key, const Requirements& required, wire::BytesView message,
            wire::BytesView signature) {
  const OpenSslPtr<EVP_MD_CTX> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  if (EVP_DigestVerifyInit_ex(context.get(), &key_context, required.digest, nullptr, nullptr, &key,
                              nullptr) != 1) {
    return false;
  }
  const bool rsa =
      EVP_PKEY_get_base_id(&key) == EVP_PKEY_RSA || EVP_PKEY_get_base_id(&key) == EVP_PKEY_RSA_PSS;
  if (rsa && (EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) != 1 ||
              EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

}  // namespace

bool IsSignature(EVP_PKEY& key, SignatureScheme scheme, wire::BytesView message,
                 wire::BytesView signature) {
  const auto* required = std::find_if(kRequirements.begin(), kRequirements.end(),
                                      [&](const Requirements& r) { return r.scheme == scheme; });
  const bool good = required != kRequirements.end() && Fits(*required, key) &&
                    Verify(key, *required, message, signature);
  ERR_clear_error();
  return good;
}

SignatureCheck CheckWith(std::shared_ptr<EVP_PKEY> key, SignatureScheme scheme) {
  return [key = std::move(key), scheme](wire::BytesView message, wire::BytesView signature) {
    return key != nullptr && IsSignature(*key, scheme, message, signature);
  };
}

}  // namespace signet::agent
