#include "providers/openssl/algorithm.h"

#include <cstring>
#include <memory>

namespace signet::openssl {
namespace {

// RFC 5758 section 3.2, RFC 8410 section 3, RFC 4055 section 3.1 with a salt as long as the hash.
constexpr uint8_t kEcdsaSha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                    0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
constexpr uint8_t kEcdsaSha384[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                    0x48, 0xce, 0x3d, 0x04, 0x03, 0x03};
constexpr uint8_t kEcdsaSha512[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                    0x48, 0xce, 0x3d, 0x04, 0x03, 0x04};
constexpr uint8_t kEdDsa[] = {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70};
#define SIGNET_PSS(hash, salt)                                                                    \
  {                                                                                               \
    0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x34,     \
        0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, hash, \
        0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, \
        0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, hash, \
        0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, salt                                                  \
  }
constexpr uint8_t kPssSha256[] = SIGNET_PSS(0x01, 32);
constexpr uint8_t kPssSha384[] = SIGNET_PSS(0x02, 48);
constexpr uint8_t kPssSha512[] = SIGNET_PSS(0x03, 64);

constexpr Scheme kSchemes[] = {
    {&kEc, "prime256v1", "SHA256", 0x0403, kEcdsaSha256},
    {&kEc, "secp384r1", "SHA384", 0x0503, kEcdsaSha384},
    {&kEc, "secp521r1", "SHA512", 0x0603, kEcdsaSha512},
    {&kRsa, nullptr, "SHA256", 0x0804, kPssSha256},
    {&kRsa, nullptr, "SHA384", 0x0805, kPssSha384},
    {&kRsa, nullptr, "SHA512", 0x0806, kPssSha512},
    {&kEd25519, nullptr, nullptr, 0x0807, kEdDsa},
};

bool IsOnCurve(EVP_PKEY* key, const char* curve) {
  if (curve == nullptr) return true;
  char name[64];
  return EVP_PKEY_get_group_name(key, name, sizeof(name), nullptr) == 1 &&
         std::strcmp(name, curve) == 0;
}

}  // namespace

const Scheme* FindScheme(EVP_PKEY* key, OSSL_LIB_CTX* library, const char* digest) {
  std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> fetched(nullptr, EVP_MD_free);
  if (digest != nullptr && *digest != '\0') {
    fetched.reset(EVP_MD_fetch(library, digest, nullptr));  // by any of its names
    if (fetched == nullptr) return nullptr;
  }
  for (const Scheme& scheme : kSchemes) {
    const bool fits = scheme.digest == nullptr
                          ? fetched == nullptr
                          : fetched != nullptr && EVP_MD_is_a(fetched.get(), scheme.digest) == 1;
    if (fits && EVP_PKEY_is_a(key, scheme.key->name) == 1 && IsOnCurve(key, scheme.curve)) {
      return &scheme;
    }
  }
  return nullptr;
}

const char* DefaultDigest(EVP_PKEY* key) {
  for (const Scheme& scheme : kSchemes) {
    if (scheme.curve != nullptr && EVP_PKEY_is_a(key, scheme.key->name) == 1 &&
        IsOnCurve(key, scheme.curve)) {
      return scheme.digest;
    }
  }
  return nullptr;
}

}  // namespace signet::openssl
