#include "providers/pkcs11/elliptic_curve.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>

namespace signet::providers::pkcs11 {
namespace {

struct Free {
  void operator()(EVP_PKEY* pkey) const { EVP_PKEY_free(pkey); }
};

// A new public key: the bare point and the SubjectPublicKeyInfo.
struct Sample {
  explicit Sample(const EllipticCurve& curve) {
    std::unique_ptr<EVP_PKEY, Free> pkey(EVP_EC_gen(curve.group));
    uint8_t* bytes = nullptr;
    const size_t size = EVP_PKEY_get1_encoded_public_key(pkey.get(), &bytes);
    point.assign(bytes, bytes + size);
    OPENSSL_free(bytes);
    uint8_t* der = nullptr;
    const int der_size = i2d_PUBKEY(pkey.get(), &der);
    info.assign(der, der + der_size);
    OPENSSL_free(der);
  }
  wire::Bytes point;
  wire::Bytes info;
};

wire::Bytes OctetString(const wire::Bytes& content) {
  wire::Bytes der{0x04};
  if (content.size() >= 0x80) der.push_back(0x81);
  der.push_back(static_cast<uint8_t>(content.size()));
  der.insert(der.end(), content.begin(), content.end());
  return der;
}

TEST(EllipticCurve, TakesPointsBareAndAsOctetString) {
  for (const EllipticCurve& curve : AllEllipticCurves()) {
    const Sample sample(curve);
    EXPECT_EQ(PublicKeyFromPoint(curve, sample.point), sample.info) << curve.group;
    EXPECT_EQ(PublicKeyFromPoint(curve, OctetString(sample.point)), sample.info) << curve.group;
  }
}

TEST(EllipticCurve, RefusesWhatIsNoPointOfTheCurve) {
  const EllipticCurve& p256 = *FindCurve(kP256Parameters);
  const wire::Bytes good = Sample(p256).point;
  wire::Bytes beside = good;
  beside.back() ^= 1;
  wire::Bytes compressed(good.begin(), good.begin() + 33);
  compressed[0] = 2;
  wire::Bytes truncated = OctetString(good);
  truncated.pop_back();
  wire::Bytes trailing = OctetString(good);
  trailing.push_back(0);
  for (const wire::Bytes& bytes :
       {wire::Bytes(), wire::Bytes{4}, wire::Bytes{4, 0}, wire::Bytes(65, 0), wire::Bytes(67, 4),
        beside, OctetString(beside), compressed, OctetString(compressed), truncated, trailing,
        Sample(*FindCurve(kP384Parameters)).point}) {
    EXPECT_FALSE(PublicKeyFromPoint(p256, bytes).has_value());
  }
}

TEST(EllipticCurve, KnowsCurvesByTheirParameters) {
  for (const EllipticCurve& curve : AllEllipticCurves()) {
    EXPECT_EQ(FindCurve(curve.parameters), &curve);
  }
  EXPECT_EQ(FindCurve(wire::BytesView()), nullptr);
}

}  // namespace
}  // namespace signet::providers::pkcs11
