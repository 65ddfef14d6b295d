#include "providers/pkcs11/elliptic_curve.h"

#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <string_view>

namespace signet::providers::pkcs11 {
namespace {

constexpr EllipticCurve kCurves[] = {
    {wire::SignatureScheme::kEcdsaSecp256r1Sha256, "prime256v1", kP256Parameters, 256},
    {wire::SignatureScheme::kEcdsaSecp384r1Sha384, "secp384r1", kP384Parameters, 384},
    {wire::SignatureScheme::kEcdsaSecp521r1Sha512, "secp521r1", kP521Parameters, 521},
};

constexpr uint8_t kUncompressed = 0x04;

struct Free {
  void operator()(EVP_PKEY* pkey) const { EVP_PKEY_free(pkey); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(ASN1_OCTET_STRING* string) const { ASN1_OCTET_STRING_free(string); }
};

// The uncompressed point inside CKA_EC_POINT; empty when there is none.
wire::Bytes Point(const EllipticCurve& curve, wire::BytesView ec_point) {
  const size_t size = 1 + 2 * curve.coordinate_size();
  // An OCTET STRING and an uncompressed point both begin with 4: the size tells them apart.
  if (ec_point.size() == size && ec_point[0] == kUncompressed) return wire::Copy(ec_point);
  const uint8_t* der = ec_point.data();
  std::unique_ptr<ASN1_OCTET_STRING, Free> string(
      d2i_ASN1_OCTET_STRING(nullptr, &der, static_cast<long>(ec_point.size())));
  if (string == nullptr || der != ec_point.data() + ec_point.size()) return {};
  const uint8_t* point = ASN1_STRING_get0_data(string.get());
  if (static_cast<size_t>(ASN1_STRING_length(string.get())) != size || point[0] != kUncompressed) {
    return {};
  }
  return wire::Bytes(point, point + size);
}

}  // namespace

std::span<const EllipticCurve> AllEllipticCurves() { return kCurves; }

const EllipticCurve* FindCurve(wire::BytesView ec_parameters) {
  for (const EllipticCurve& curve : kCurves) {
    if (std::ranges::equal(curve.parameters, ec_parameters)) return &curve;
  }
  return nullptr;
}

const EllipticCurve* FindCurve(wire::SignatureScheme scheme) {
  const auto* found = std::ranges::find(kCurves, scheme, &EllipticCurve::scheme);
  return found == std::end(kCurves) ? nullptr : found;
}

const EllipticCurve* CurveOf(const EVP_PKEY& ec_key) {
  char group[64];
  if (EVP_PKEY_get_group_name(&ec_key, group, sizeof(group), nullptr) != 1) return nullptr;
  for (const EllipticCurve& curve : kCurves) {
    if (std::string_view(curve.group) == group) return &curve;
  }
  return nullptr;
}

std::optional<wire::Bytes> PublicKeyFromPoint(const EllipticCurve& curve,
                                              wire::BytesView ec_point) {
  wire::Bytes point = Point(curve, ec_point);
  std::unique_ptr<EVP_PKEY_CTX, Free> context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(curve.group),
                                       0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end(),
  };
  EVP_PKEY* made = nullptr;
  uint8_t* der = nullptr;
  int size = 0;
  if (!point.empty() && context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1 &&
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters) == 1) {
    std::unique_ptr<EVP_PKEY, Free> pkey(made);
    size = i2d_PUBKEY(pkey.get(), &der);
  }
  ERR_clear_error();
  if (size <= 0) return std::nullopt;
  wire::Bytes public_key(der, der + size);
  OPENSSL_free(der);
  return public_key;
}

}  // namespace signet::providers::pkcs11
