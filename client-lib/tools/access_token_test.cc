#include "client-lib/tools/access_token.h"

#include <cjose/header.h>
#include <cjose/jwk.h>
#include <cjose/jws.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>

namespace signet::tools {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

constexpr int64_t kNow = 1'700'000'000;
const std::string kThumbprint = "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2";  // RFC 8705 3.1

struct Release {
  void operator()(cjose_jwk_t* key) const { cjose_jwk_release(key); }
  void operator()(cjose_jws_t* jws) const { cjose_jws_release(jws); }
  void operator()(cjose_header_t* header) const { cjose_header_release(header); }
  void operator()(char* text) const { free(text); }
};
using Key = std::unique_ptr<cjose_jwk_t, Release>;

Key RsaKey(size_t bits = 2048) {
  const uint8_t exponent[] = {1, 0, 1};
  return Key(cjose_jwk_create_RSA_random(bits, exponent, sizeof exponent, nullptr));
}
Key EcKey(cjose_jwk_ec_curve curve) { return Key(cjose_jwk_create_EC_random(curve, nullptr)); }

Json Public(const Key& key, const Json& more) {
  const std::unique_ptr<char, Release> text(cjose_jwk_to_json(key.get(), false, nullptr));
  Json json = Json::parse(text.get());
  json.update(more);
  return json;
}

JsonWebKeys KeySet(const std::vector<Json>& keys) {
  std::string error;
  std::optional<JsonWebKeys> set = JsonWebKeys::Parse(Json{{"keys", keys}}.dump(), error);
  EXPECT_TRUE(set) << error;
  return set ? std::move(*set) : JsonWebKeys();
}

std::string Sign(const Key& key, const Json& header, const std::string& payload) {
  const std::unique_ptr<cjose_header_t, Release> fields(cjose_header_new(nullptr));
  for (const auto& [name, value] : header.items()) {
    if (value.is_string()) {
      cjose_header_set(fields.get(), name.c_str(), value.get<std::string>().c_str(), nullptr);
    } else {
      cjose_header_set_raw(fields.get(), name.c_str(), value.dump().c_str(), nullptr);
    }
  }
  const std::unique_ptr<cjose_jws_t, Release> jws(
      cjose_jws_sign(key.get(), fields.get(), reinterpret_cast<const uint8_t*>(payload.data()),
                     payload.size(), nullptr));
  const char* text = nullptr;
  EXPECT_TRUE(jws != nullptr && cjose_jws_export(jws.get(), &text, nullptr));
  return text == nullptr ? "" : text;
}

std::string Base64Url(const std::string& text) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string encoded;
  uint32_t bits = 0;
  int count = 0;
  for (unsigned char c : text) {
    bits = bits << 8 | c;
    for (count += 8; count >= 6; count -= 6) encoded += kDigits[bits >> (count - 6) & 63];
  }
  if (count > 0) encoded += kDigits[bits << (6 - count) & 63];
  return encoded;
}

class AccessTokenTest : public testing::Test {
 protected:
  static Json Header(const Json& more = Json::object()) {
    Json header = {{"alg", "ES256"}, {"typ", "at+jwt"}, {"kid", "one"}};
    header.merge_patch(more);
    return header;
  }
  static Json Claims(const Json& more = Json::object()) {
    Json claims = {{"iss", "https://as.example"},
                   {"aud", "https://api.example"},
                   {"exp", kNow + 300},
                   {"iat", kNow},
                   {"sub", "jane"},
                   {"cnf", {{"x5t#S256", kThumbprint}}}};
    claims.merge_patch(more);  // null removes
    return claims;
  }
  std::variant<AccessToken, TokenFault> Check(const std::string& token) const {
    return CheckAccessToken(token, rules_, keys_, kNow);
  }
  // Nothing = the token is good.
  std::optional<TokenFault> FaultOf(const std::string& token) const {
    const std::variant<AccessToken, TokenFault> checked = Check(token);
    const TokenFault* fault = std::get_if<TokenFault>(&checked);
    return fault != nullptr ? std::optional(*fault) : std::nullopt;
  }

  const Key key_ = EcKey(CJOSE_JWK_EC_P_256);
  const TokenRules rules_{"https://as.example", "https://api.example"};
  JsonWebKeys keys_ = KeySet({Public(key_, {{"kid", "one"}})});
};

TEST_F(AccessTokenTest, SaysWhoseAGoodTokenIs) {
  const auto checked = Check(Sign(key_, Header(), Claims().dump()));
  ASSERT_TRUE(std::holds_alternative<AccessToken>(checked));
  EXPECT_EQ(std::get<AccessToken>(checked).thumbprint, kThumbprint);
}

TEST_F(AccessTokenTest, EachClaimCounts) {
  const struct {
    Json claims;
    std::optional<TokenFault> fault;
  } kCases[] = {
      {{{"iss", "https://as.example/"}}, TokenFault::kIssuer},
      {{{"iss", nullptr}}, TokenFault::kIssuer},
      {{{"iss", {"https://as.example"}}}, TokenFault::kIssuer},
      {{{"aud", "https://other.example"}}, TokenFault::kAudience},
      {{{"aud", nullptr}}, TokenFault::kAudience},
      {{{"aud", 7}}, TokenFault::kAudience},
      {{{"aud", {"https://other.example"}}}, TokenFault::kAudience},
      {{{"aud", {"https://other.example", "https://api.example"}}}, std::nullopt},
      {{{"exp", nullptr}}, TokenFault::kMalformed},
      {{{"exp", "1700000300"}}, TokenFault::kMalformed},
      {{{"exp", kNow - 60}}, TokenFault::kExpired},
      {{{"exp", kNow - 59}}, std::nullopt},
      {{{"exp", -1e300}}, TokenFault::kExpired},
      {{{"exp", 1700000000.5}}, std::nullopt},
      {{{"nbf", kNow + 61}}, TokenFault::kNotYetValid},
      {{{"nbf", kNow + 60}}, std::nullopt},
      {{{"nbf", "soon"}}, TokenFault::kMalformed},
      {{{"iat", kNow + 61}}, TokenFault::kNotYetValid},
      {{{"iat", nullptr}}, std::nullopt},
      {{{"cnf", nullptr}}, TokenFault::kUnbound},
      {{{"cnf", "x"}}, TokenFault::kUnbound},
      {{{"cnf", {{"x5t#S256", nullptr}, {"jkt", kThumbprint}}}}, TokenFault::kUnbound},
      {{{"cnf", {{"x5t#S256", 7}}}}, TokenFault::kUnbound},
      {{{"cnf", {{"x5t#S256", ""}}}}, TokenFault::kUnbound},
  };
  for (const auto& each : kCases) {
    EXPECT_EQ(FaultOf(Sign(key_, Header(), Claims(each.claims).dump())), each.fault) << each.claims;
  }
}

TEST_F(AccessTokenTest, TheHeaderSaysWhatItIsAndWhoSignedIt) {
  const struct {
    Json header;
    std::optional<TokenFault> fault;
  } kCases[] = {
      {{{"typ", "application/AT+JWT"}}, std::nullopt},
      {{{"typ", "JWT"}}, TokenFault::kType},  // an ID token, perhaps
      {{{"typ", nullptr}}, TokenFault::kType},
      {{{"kid", "two"}}, TokenFault::kUnknownKey},
      {{{"kid", nullptr}}, std::nullopt},
      {{{"crit", {"exp"}}}, TokenFault::kMalformed},
      {{{"jku", "https://evil.example/keys"}}, std::nullopt},  // not looked at
  };
  for (const auto& each : kCases) {
    EXPECT_EQ(FaultOf(Sign(key_, Header(each.header), Claims().dump())), each.fault) << each.header;
  }
}

// The library does not even show these.
TEST_F(AccessTokenTest, WhatIsNoTextInTheHeaderIsNotOverlooked) {
  const auto fault = [this](const Json& more) {
    return FaultOf(Base64Url(Header(more).dump()) + ".e30.AAAA");
  };
  EXPECT_EQ(fault(Json::object()), TokenFault::kSignature);
  EXPECT_EQ(fault({{"kid", 7}}), TokenFault::kMalformed);
  EXPECT_EQ(fault({{"crit", 7}}), TokenFault::kMalformed);
  EXPECT_EQ(fault({{"crit", false}}), TokenFault::kMalformed);
  EXPECT_EQ(fault({{"typ", 7}}), TokenFault::kType);
}

TEST_F(AccessTokenTest, AnotherKeyOrAChangedTokenIsNoSignature) {
  EXPECT_EQ(FaultOf(Sign(EcKey(CJOSE_JWK_EC_P_256), Header(), Claims().dump())),
            TokenFault::kSignature);
  EXPECT_EQ(FaultOf(Sign(EcKey(CJOSE_JWK_EC_P_256), Header({{"kid", nullptr}}), Claims().dump())),
            TokenFault::kSignature);
  const std::string good = Sign(key_, Header(), Claims().dump());
  const std::string other = Sign(key_, Header(), Claims({{"sub", "root"}}).dump());
  const size_t dot = good.rfind('.');
  EXPECT_EQ(FaultOf(other.substr(0, other.rfind('.')) + good.substr(dot)), TokenFault::kSignature);
  EXPECT_EQ(FaultOf(good.substr(0, dot) + ".AAAA"), TokenFault::kSignature);
}

TEST_F(AccessTokenTest, NoneAndSymmetricAlgorithmsAreRefusedWhateverTheKeyIs) {
  const std::string payload = Base64Url(Claims().dump());
  for (const char* name : {"none", "None", "nOnE", "", "EdDSA", "RS1"}) {
    const std::string token = Base64Url(Header({{"alg", name}}).dump()) + "." + payload;
    EXPECT_TRUE(FaultOf(token + ".AAAA")) << name;
    EXPECT_EQ(FaultOf(token + "."), TokenFault::kMalformed) << name;  // as of an unsecured JWS
  }
  EXPECT_EQ(FaultOf(Base64Url(Header({{"alg", "none"}}).dump()) + "." + payload + ".AAAA"),
            TokenFault::kAlgorithm);
  // The public key, which everybody has, as a secret of HMAC.
  const std::string known = Public(key_, {{"kid", "one"}}).dump();
  const Key secret(cjose_jwk_create_oct_spec(reinterpret_cast<const uint8_t*>(known.data()),
                                             known.size(), nullptr));
  EXPECT_EQ(FaultOf(Sign(secret, Header({{"alg", "HS256"}}), Claims().dump())),
            TokenFault::kAlgorithm);
}

TEST_F(AccessTokenTest, WhatIsNoTokenIsMalformed) {
  const std::string good = Sign(key_, Header(), Claims().dump());
  for (const std::string& token :
       {std::string(), std::string("."), std::string(".."), std::string("a.b"),
        std::string("a.b.c"), good + ".", good + ".AAAA", "." + good, good + "=", " " + good,
        good + std::string(1, '\0'), std::string(kMaxAccessToken + 1, 'a'), std::string(8000, '.'),
        Base64Url("[]") + ".e30.AAAA", Base64Url("{}") + ".e30.AAAA",
        Base64Url(std::string(4000, '[')) + ".e30.AAAA", Sign(key_, Header(), "no JSON"),
        Sign(key_, Header(), "[]"), Sign(key_, Header(), std::string(4000, '['))}) {
    EXPECT_EQ(FaultOf(token), TokenFault::kMalformed) << token;
  }
}

TEST_F(AccessTokenTest, EllipticCurvesFitTheirAlgorithm) {
  const struct {
    const char* algorithm;
    cjose_jwk_ec_curve curve;
  } kKinds[] = {
      {"ES256", CJOSE_JWK_EC_P_256}, {"ES384", CJOSE_JWK_EC_P_384}, {"ES512", CJOSE_JWK_EC_P_521}};
  for (const auto& kind : kKinds) {
    const Key key = EcKey(kind.curve);
    keys_ = KeySet({Public(key, {{"kid", "one"}})});
    for (const auto& each : kKinds) {
      const std::string token = Sign(key, Header({{"alg", each.algorithm}}), Claims().dump());
      EXPECT_EQ(FaultOf(token),
                each.curve == kind.curve ? std::nullopt : std::optional(TokenFault::kUnknownKey));
    }
  }
}

TEST_F(AccessTokenTest, AnRsaKeyIsForItsAlgorithmsOrTheOneThatItNames) {
  const Key key = RsaKey();
  keys_ = KeySet({Public(key, {{"kid", "one"}})});
  for (const char* algorithm : {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}) {
    EXPECT_EQ(FaultOf(Sign(key, Header({{"alg", algorithm}}), Claims().dump())), std::nullopt);
  }
  EXPECT_EQ(FaultOf(Sign(key_, Header(), Claims().dump())), TokenFault::kUnknownKey);
  keys_ = KeySet({Public(key, {{"kid", "one"}, {"alg", "PS256"}})});
  EXPECT_EQ(FaultOf(Sign(key, Header({{"alg", "RS256"}}), Claims().dump())),
            TokenFault::kUnknownKey);
  EXPECT_EQ(FaultOf(Sign(key, Header({{"alg", "PS256"}}), Claims().dump())), std::nullopt);
}

TEST_F(AccessTokenTest, AmongKeysOfOneNameTheRightOneIsFound) {
  const Key other = EcKey(CJOSE_JWK_EC_P_256);
  keys_ = KeySet({Public(other, {{"kid", "one"}}), Public(key_, {{"kid", "one"}})});
  EXPECT_EQ(FaultOf(Sign(key_, Header(), Claims().dump())), std::nullopt);
}

TEST_F(AccessTokenTest, TakesTheTypesThatItIsToldTo) {
  TokenRules rules = rules_;
  rules.types = {"JWT", "at+jwt"};
  EXPECT_TRUE(std::holds_alternative<AccessToken>(
      CheckAccessToken(Sign(key_, Header({{"typ", "jwt"}}), Claims().dump()), rules, keys_, kNow)));
}

TEST(JsonWebKeys, SaysWhatIsWrongWithASet) {
  const std::string key = Public(EcKey(CJOSE_JWK_EC_P_256), Json::object()).dump();
  const struct {
    std::string text;
    const char* expected;
  } kCases[] = {
      {"", "JWK Set"},
      {"[]", "JWK Set"},
      {"{}", "JWK Set"},
      {R"({"keys": {}})", "JWK Set"},
      {key, "JWK Set"},
      {R"({"keys": [)" + key + "]", "JWK Set"},
      {R"({"keys": []})", "no public key"},
      {R"({"keys": [7, {}, {"kty": "oct", "k": "c2VjcmV0"}]})", "no public key"},
      {R"({"keys": [{"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}]})", "no public key"},
      {R"({"keys": [{"kty": "RSA", "n": 7, "e": "AQAB"}]})", "no public key"},
      {Json{{"keys", {Public(RsaKey(1024), Json::object())}}}.dump(), "2048"},
      {std::string(JsonWebKeys::kMaxSize + 1, ' '), "256 KiB"},
      {Json{{"keys", std::vector<int>(JsonWebKeys::kMaxKeys + 1)}}.dump(), "64"},
  };
  for (const auto& each : kCases) {
    std::string error;
    EXPECT_FALSE(JsonWebKeys::Parse(each.text, error)) << each.text;
    EXPECT_THAT(error, HasSubstr(each.expected)) << each.text;
  }
}

TEST(JsonWebKeys, LeavesOutWhatIsForSomethingElse) {
  const Key key = EcKey(CJOSE_JWK_EC_P_256);
  const JsonWebKeys keys = KeySet({Public(key, {{"kid", "a"}}),
                                   Public(key, {{"kid", "b"}, {"use", "sig"}}),
                                   Public(key, {{"kid", "c"}, {"key_ops", {"sign", "verify"}}}),
                                   Public(key, {{"kid", "d"}, {"use", "enc"}}),
                                   Public(key, {{"kid", "e"}, {"key_ops", {"deriveKey"}}}),
                                   {{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", "AAAA"}}});
  EXPECT_EQ(keys.size(), 3u);
  EXPECT_EQ(keys.Find("ES256", "c").size(), 1u);
  EXPECT_EQ(keys.Find("ES256", "d").size(), 0u);
  EXPECT_EQ(keys.Find("ES256", std::nullopt).size(), 3u);
  EXPECT_EQ(keys.Find("HS256", std::nullopt).size(), 0u);
}

TEST(CertificateThumbprint, IsBase64UrlOfTheHash) {
  // printf abc | openssl dgst -sha256 -binary | basenc --base64url
  const uint8_t kText[] = {'a', 'b', 'c'};
  EXPECT_EQ(CertificateThumbprint(kText), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
}

}  // namespace
}  // namespace signet::tools
