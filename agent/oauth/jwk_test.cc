#include "agent/oauth/jwk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>

#include "absl/strings/escaping.h"
#include "agent/identity/openssl.h"
#include "agent/oauth/thumbprint.h"
#include "tests/support/test_ca.h"

namespace signet::oauth {
namespace {

using test::Der;
using test::TestCa;
using test::TestKey;
using test::TestKeyType;

std::string FromBase64Url(const Json& value) {
  std::string out;
  EXPECT_TRUE(absl::WebSafeBase64Unescape(value.get<std::string>(), &out));
  return out;
}

Json JwkOf(const TestKey& key) {
  const TestCa root = TestCa::Root("Root");
  const auto jwk = ToJwk({root.Issue(key.public_key()), root.certificate()});
  EXPECT_TRUE(jwk.ok()) << jwk.status();
  return *jwk;
}

// RFC 8705 section 3.1 has no example with a certificate, so: echo -n abc | sha256sum, base64url.
TEST(Thumbprint, IsTheBase64UrlOfTheSha256WithoutPadding) {
  const Der abc = {'a', 'b', 'c'};
  EXPECT_EQ(Thumbprint(abc), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
}

TEST(Jwk, HoldsTheCoordinatesOfAnEllipticKeyInFull) {
  const struct {
    TestKeyType type;
    const char* curve;
    size_t size;
  } kCases[] = {{TestKeyType::kP256, "P-256", 32},
                {TestKeyType::kP384, "P-384", 48},
                {TestKeyType::kP521, "P-521", 66}};
  for (const auto& of : kCases) {
    const TestKey key = TestKey::Generate(of.type);
    const Json jwk = JwkOf(key);
    EXPECT_EQ(jwk["kty"], "EC");
    EXPECT_EQ(jwk["crv"], of.curve);
    Der point(1 + 2 * of.size);
    size_t size = 0;
    ASSERT_EQ(EVP_PKEY_get_octet_string_param(key.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                              point.size(), &size),
              1);
    const std::string uncompressed(point.begin(), point.end());
    EXPECT_EQ(FromBase64Url(jwk["x"]), uncompressed.substr(1, of.size)) << of.curve;
    EXPECT_EQ(FromBase64Url(jwk["y"]), uncompressed.substr(1 + of.size)) << of.curve;
  }
}

// A coordinate that begins with zeros comes up once in 256 keys.
TEST(Jwk, KeepsLeadingZerosOfCoordinates) {
  for (;;) {
    const TestKey key = TestKey::Generate(TestKeyType::kP256);
    BIGNUM* x = nullptr;
    ASSERT_EQ(EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_EC_PUB_X, &x), 1);
    const agent::OpenSslPtr<BIGNUM> owner(x);
    if (BN_num_bytes(x) == 32) continue;
    const std::string coordinate = FromBase64Url(JwkOf(key)["x"]);
    EXPECT_EQ(coordinate.size(), 32u);
    EXPECT_EQ(coordinate[0], '\0');
    return;
  }
}

// Those of any kind: tests/integration/oauth has an ordinary one.
TEST(Jwk, KnowsRsaKeysForPssAlone) {
  const Json jwk = JwkOf(TestKey::Generate(TestKeyType::kRsaPss2048));
  EXPECT_EQ(jwk["kty"], "RSA");
  EXPECT_EQ(jwk["e"], "AQAB");
  EXPECT_EQ(FromBase64Url(jwk["n"]).size(), 256u);
}

TEST(Jwk, KnowsEdwardsKeys) {
  const struct {
    TestKeyType type;
    const char* curve;
    size_t size;
  } kCases[] = {{TestKeyType::kEd25519, "Ed25519", 32}, {TestKeyType::kEd448, "Ed448", 57}};
  for (const auto& of : kCases) {
    const Json jwk = JwkOf(TestKey::Generate(of.type));
    EXPECT_EQ(jwk["kty"], "OKP");
    EXPECT_EQ(jwk["crv"], of.curve);
    EXPECT_EQ(FromBase64Url(jwk["x"]).size(), of.size);
  }
}

TEST(Jwk, CarriesTheChainLeafFirstAndTheThumbprint) {
  const TestCa root = TestCa::Root("Root");
  const Der leaf = root.Issue(TestKey::Generate(TestKeyType::kP256).public_key());
  const auto jwk = ToJwk({leaf, root.certificate()});
  ASSERT_TRUE(jwk.ok()) << jwk.status();
  ASSERT_EQ((*jwk)["x5c"].size(), 2u);
  std::string first;  // base64, not base64url: RFC 7517 section 4.7
  ASSERT_TRUE(absl::Base64Unescape((*jwk)["x5c"][0].get<std::string>(), &first));
  EXPECT_EQ(first, std::string(leaf.begin(), leaf.end()));
  EXPECT_EQ((*jwk)["x5t#S256"], Thumbprint(leaf));
  EXPECT_EQ((*jwk)["use"], "sig");
}

TEST(Jwk, RefusesWhatIsNoCertificate) { EXPECT_FALSE(ToJwk({Der{1, 2, 3}}).ok()); }

}  // namespace
}  // namespace signet::oauth
