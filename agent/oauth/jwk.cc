#include "agent/oauth/jwk.h"

#include <openssl/core_names.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "agent/identity/openssl.h"
#include "agent/oauth/thumbprint.h"

namespace signet::oauth {
namespace {

absl::string_view AsText(wire::BytesView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A number of the key, big-endian: at least `size` bytes, so that coordinates keep leading zeros.
// Empty: it has none of that name.
std::string Number(const EVP_PKEY* key, const char* name, size_t size = 1) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return {};
  const agent::OpenSslPtr<BIGNUM> owner(number);
  wire::Bytes bytes(std::max(size, static_cast<size_t>(BN_num_bytes(number))));
  BN_bn2binpad(number, bytes.data(), static_cast<int>(bytes.size()));
  return absl::WebSafeBase64Escape(AsText(bytes));
}

struct Curve {
  std::string_view group;  // as OpenSSL names it
  const char* name;        // as JSON Web Keys do
  size_t size;             // of a coordinate
};
constexpr Curve kCurves[] = {
    {SN_X9_62_prime256v1, "P-256", 32}, {SN_secp384r1, "P-384", 48}, {SN_secp521r1, "P-521", 66}};

Json EllipticKey(const EVP_PKEY* key) {
  char group[64];
  size_t length = 0;
  if (EVP_PKEY_get_group_name(key, group, sizeof(group), &length) != 1) return {};
  for (const Curve& curve : kCurves) {
    if (curve.group != std::string_view(group, length)) continue;
    return {{"kty", "EC"},
            {"crv", curve.name},
            {"x", Number(key, OSSL_PKEY_PARAM_EC_PUB_X, curve.size)},
            {"y", Number(key, OSSL_PKEY_PARAM_EC_PUB_Y, curve.size)}};
  }
  return {};
}

Json EdwardsKey(const EVP_PKEY* key, const char* curve) {
  wire::Bytes point(57);  // Ed448's
  size_t size = point.size();
  if (EVP_PKEY_get_raw_public_key(key, point.data(), &size) != 1) return {};
  point.resize(size);
  return {{"kty", "OKP"}, {"crv", curve}, {"x", absl::WebSafeBase64Escape(AsText(point))}};
}

Json PublicKey(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_EC:
      return EllipticKey(key);
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
      return {{"kty", "RSA"},
              {"n", Number(key, OSSL_PKEY_PARAM_RSA_N)},
              {"e", Number(key, OSSL_PKEY_PARAM_RSA_E)}};
    case EVP_PKEY_ED25519:
      return EdwardsKey(key, "Ed25519");
    case EVP_PKEY_ED448:
      return EdwardsKey(key, "Ed448");
    default:
      return {};
  }
}

}  // namespace

absl::StatusOr<Json> ToJwk(const std::vector<wire::Bytes>& chain) {
  const auto leaf = agent::DecodeDer(d2i_X509, chain.front());
  if (leaf == nullptr) return absl::InvalidArgumentError("the leaf is no X.509 certificate");
  const EVP_PKEY* key = X509_get0_pubkey(leaf.get());
  Json jwk = key == nullptr ? Json() : PublicKey(key);
  ERR_clear_error();
  if (jwk.is_null()) {
    return absl::InvalidArgumentError(
        "its key is of a kind that JSON Web Keys (RFC 7518) have not");
  }
  jwk["use"] = "sig";
  for (const wire::Bytes& certificate : chain) {
    jwk["x5c"].push_back(absl::Base64Escape(AsText(certificate)));
  }
  jwk["x5t#S256"] = Thumbprint(chain.front());
  return jwk;
}

}  // namespace signet::oauth
