#include "providers/pkcs11/signing_scheme.h"

#include <gtest/gtest.h>

#include "providers/pkcs11/public_key.h"

namespace signet::providers::pkcs11 {
namespace {

using wire::SignatureScheme;

TEST(SigningScheme, SaltIsAsLongAsTheHash) {
  const auto schemes = SchemesOf(CKK_RSA);
  EXPECT_EQ(schemes.size(), 3u);
  for (const SigningScheme* scheme : schemes) {
    EXPECT_EQ(scheme->pss.sLen, SigningInput(*scheme, wire::Bytes{1}).size());
  }
}

TEST(SigningScheme, EncodesEcdsaSignaturesAsMinimalDer) {
  const SigningScheme& p256 = *FindScheme(SignatureScheme::kEcdsaSecp256r1Sha256);
  wire::Bytes raw(64, 0);
  raw[31] = 0x7f;  // r: short and positive
  raw[32] = 0x80;  // s: its first bit needs a zero before it
  auto der = TlsSignature(p256, 64, raw);
  ASSERT_TRUE(der.has_value());
  wire::Bytes expected{0x30, 0x26, 0x02, 0x01, 0x7f, 0x02, 0x21, 0x00, 0x80};
  expected.resize(expected.size() + 31, 0);
  EXPECT_EQ(*der, expected);
}

TEST(SigningScheme, RefusesSignaturesOfAnotherSize) {
  for (const SignatureScheme name :
       {SignatureScheme::kEcdsaSecp256r1Sha256, SignatureScheme::kEd25519}) {
    for (const size_t size : {0u, 63u, 65u, 96u}) {
      EXPECT_FALSE(TlsSignature(*FindScheme(name), 64, wire::Bytes(size, 1)).has_value());
    }
  }
}

TEST(Pkcs11PublicKey, TakesEd25519PointsBareAndAsOctetString) {
  const wire::Bytes bare(32, 9);
  wire::Bytes wrapped(34, 9);
  wrapped[0] = 0x04;  // OCTET STRING
  wrapped[1] = 32;
  const auto info = Ed25519PublicKey(bare);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(Ed25519PublicKey(wrapped), info);
  for (const wire::Bytes& bytes : {wire::Bytes(), wire::Bytes(31, 9), wire::Bytes(33, 9),
                                   wire::Bytes(34, 9), wire::Bytes(57, 9)}) {
    EXPECT_FALSE(Ed25519PublicKey(bytes).has_value());
  }
}

TEST(Pkcs11PublicKey, RefusesShortRsaKeys) {
  const wire::Bytes exponent{1, 0, 1};
  EXPECT_TRUE(RsaPublicKey(wire::Bytes(256, 0xff), exponent).has_value());
  EXPECT_FALSE(RsaPublicKey(wire::Bytes(128, 0xff), exponent).has_value());
  EXPECT_FALSE(RsaPublicKey(wire::Bytes(2048, 0xff), exponent).has_value());
  EXPECT_FALSE(RsaPublicKey(wire::Bytes(256, 0), exponent).has_value());
  EXPECT_FALSE(RsaPublicKey(wire::Bytes(256, 0xff), {}).has_value());
  EXPECT_FALSE(RsaPublicKey({}, {}).has_value());
}

}  // namespace
}  // namespace signet::providers::pkcs11
