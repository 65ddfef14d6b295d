#include "providers/contract/signature_check.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <memory>
#include <string_view>

namespace signet::providers {
namespace {

using wire::SignatureScheme;

struct SchemeRule {
  SignatureScheme scheme;
  const char* key_type;
  std::string_view group;  // empty: not on a named curve
  const char* hash;        // nullptr: the algorithm's own
};

constexpr std::array<SchemeRule, 11> kRules{{
    {SignatureScheme::kEcdsaSecp256r1Sha256, "EC", "prime256v1", "SHA256"},
    {SignatureScheme::kEcdsaSecp384r1Sha384, "EC", "secp384r1", "SHA384"},
    {SignatureScheme::kEcdsaSecp521r1Sha512, "EC", "secp521r1", "SHA512"},
    {SignatureScheme::kRsaPssRsaeSha256, "RSA", "", "SHA256"},
    {SignatureScheme::kRsaPssRsaeSha384, "RSA", "", "SHA384"},
    {SignatureScheme::kRsaPssRsaeSha512, "RSA", "", "SHA512"},
    {SignatureScheme::kRsaPssPssSha256, "RSA-PSS", "", "SHA256"},
    {SignatureScheme::kRsaPssPssSha384, "RSA-PSS", "", "SHA384"},
    {SignatureScheme::kRsaPssPssSha512, "RSA-PSS", "", "SHA512"},
    {SignatureScheme::kEd25519, "ED25519", "", nullptr},
    {SignatureScheme::kEd448, "ED448", "", nullptr},
}};

struct OpenSslDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using KeyPointer = std::unique_ptr<EVP_PKEY, OpenSslDeleter>;
using DigestPointer = std::unique_ptr<EVP_MD_CTX, OpenSslDeleter>;

bool KeyFits(EVP_PKEY* key, const SchemeRule& rule) {
  if (EVP_PKEY_is_a(key, rule.key_type) != 1) return false;
  if (rule.group.empty()) return true;
  char group[64];
  size_t size = 0;
  return EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1 &&
         std::string_view(group, size) == rule.group;
}

}  // namespace

bool SignatureHolds(wire::BytesView public_key, SignatureScheme scheme, wire::BytesView message,
                    wire::BytesView signature) {
  const SchemeRule* rule = nullptr;
  for (const SchemeRule& candidate : kRules) {
    if (candidate.scheme == scheme) rule = &candidate;
  }
  if (rule == nullptr) return false;
  const uint8_t* cursor = public_key.data();
  KeyPointer key(d2i_PUBKEY(nullptr, &cursor, static_cast<long>(public_key.size())));
  if (!key || cursor != public_key.data() + public_key.size()) return false;
  if (!KeyFits(key.get(), *rule)) return false;

  DigestPointer context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;  // owned by `context`
  if (EVP_DigestVerifyInit_ex(context.get(), &parameters, rule->hash, nullptr, nullptr, key.get(),
                              nullptr) != 1) {
    return false;
  }
  if (std::string_view(rule->key_type).starts_with("RSA") &&
      (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

std::span<const SignatureScheme> AllTls13Schemes() {
  static constexpr auto kSchemes = [] {
    std::array<SignatureScheme, kRules.size()> schemes{};
    for (size_t i = 0; i < kRules.size(); ++i) schemes[i] = kRules[i].scheme;
    return schemes;
  }();
  return kSchemes;
}

}  // namespace signet::providers
