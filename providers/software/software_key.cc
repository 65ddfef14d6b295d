#include "providers/software/software_key.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace signet::providers::software {
namespace {

using wire::SignatureScheme;

constexpr int kMinimumRsaBits = 2048;

struct FreeDigestContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

std::vector<SignatureScheme> SchemesOf(const EVP_PKEY* pkey) {
  if (EVP_PKEY_is_a(pkey, "ED25519")) return {SignatureScheme::kEd25519};
  if (EVP_PKEY_is_a(pkey, "ED448")) return {SignatureScheme::kEd448};
  if (EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_get_bits(pkey) >= kMinimumRsaBits) {
    return {SignatureScheme::kRsaPssRsaeSha256, SignatureScheme::kRsaPssRsaeSha384,
            SignatureScheme::kRsaPssRsaeSha512};
  }
  char group[32];
  if (EVP_PKEY_is_a(pkey, "EC") &&
      EVP_PKEY_get_group_name(pkey, group, sizeof(group), nullptr) == 1) {
    const std::string_view curve = group;
    if (curve == "prime256v1") return {SignatureScheme::kEcdsaSecp256r1Sha256};
    if (curve == "secp384r1") return {SignatureScheme::kEcdsaSecp384r1Sha384};
    if (curve == "secp521r1") return {SignatureScheme::kEcdsaSecp521r1Sha512};
  }
  return {};
}

// nullptr where the scheme hashes by itself.
const EVP_MD* DigestOf(SignatureScheme scheme) {
  switch (scheme) {
    case SignatureScheme::kEcdsaSecp256r1Sha256:
    case SignatureScheme::kRsaPssRsaeSha256:
      return EVP_sha256();
    case SignatureScheme::kEcdsaSecp384r1Sha384:
    case SignatureScheme::kRsaPssRsaeSha384:
      return EVP_sha384();
    case SignatureScheme::kEcdsaSecp521r1Sha512:
    case SignatureScheme::kRsaPssRsaeSha512:
      return EVP_sha512();
    default:
      return nullptr;
  }
}

bool Sign(EVP_PKEY* pkey, SignatureScheme scheme, wire::BytesView message, wire::Bytes& signature) {
  std::unique_ptr<EVP_MD_CTX, FreeDigestContext> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;  // owned by `context`
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), &parameters, DigestOf(scheme), nullptr, pkey) != 1) {
    return false;
  }
  if (EVP_PKEY_is_a(pkey, "RSA") &&
      (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  size_t size = static_cast<size_t>(EVP_PKEY_get_size(pkey));
  signature.resize(size);
  if (EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) != 1) {
    return false;
  }
  signature.resize(size);
  return true;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SoftwareKey>> SoftwareKey::Make(std::string name, UniquePkey pkey) {
  std::vector<SignatureScheme> schemes = SchemesOf(pkey.get());
  if (schemes.empty()) {
    return absl::UnimplementedError(absl::StrCat(
        name,
        ": load key: TLS 1.3 has no signature for this kind of key; use P-256, P-384, P-521, "
        "RSA of 2048 bits or more, Ed25519 or Ed448"));
  }
  uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(pkey.get(), &der);
  if (size <= 0) {
    ERR_clear_error();
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": load key: it has no public half; make a new key"));
  }
  wire::Bytes public_key(der, der + size);
  OPENSSL_free(der);
  return std::unique_ptr<SoftwareKey>(
      new SoftwareKey(std::move(name), std::move(pkey), std::move(public_key), std::move(schemes)));
}

absl::StatusOr<wire::Bytes> SoftwareKey::SignSlowly(SignatureScheme scheme,
                                                    wire::BytesView message) {
  if (std::find(schemes_.begin(), schemes_.end(), scheme) == schemes_.end()) {
    return absl::UnimplementedError(absl::StrCat(name_, ": sign: this key can't do ",
                                                 std::string(wire::Name(scheme)),
                                                 "; choose a scheme that it lists"));
  }
  wire::Bytes signature;
  if (!Sign(pkey_.get(), scheme, message, signature)) {
    ERR_clear_error();
    return absl::UnavailableError(
        absl::StrCat(name_, ": sign: OpenSSL failed; check its configuration (openssl.cnf)"));
  }
  return signature;
}

}  // namespace signet::providers::software
