// Every signature scheme of TLS 1.3, on connections with either hash, over real TLS; and RSA keys
// that are for RSASSA-PSS only, whose certificates may restrict the hash (RFC 4055 section 3.1).
#include <gtest/gtest.h>
#include <openssl/x509.h>
#include <signet/openssl.h>

#include <map>
#include <string>
#include <tuple>

#include "tests/support/client_and_server.h"
#include "tests/support/hex.h"

namespace signet::test {
namespace {

using wire::SignatureScheme;

struct Case {
  SignatureScheme scheme;
  TestKeyType key;
};

constexpr Case kCases[] = {
    {SignatureScheme::kEcdsaSecp256r1Sha256, TestKeyType::kP256},
    {SignatureScheme::kEcdsaSecp384r1Sha384, TestKeyType::kP384},
    {SignatureScheme::kEcdsaSecp521r1Sha512, TestKeyType::kP521},
    {SignatureScheme::kEd25519, TestKeyType::kEd25519},
    {SignatureScheme::kEd448, TestKeyType::kEd448},
    {SignatureScheme::kRsaPssRsaeSha256, TestKeyType::kRsa2048},
    {SignatureScheme::kRsaPssRsaeSha384, TestKeyType::kRsa2048},
    {SignatureScheme::kRsaPssRsaeSha512, TestKeyType::kRsa2048},
    {SignatureScheme::kRsaPssPssSha256, TestKeyType::kRsaPss2048},
    {SignatureScheme::kRsaPssPssSha384, TestKeyType::kRsaPss2048},
    {SignatureScheme::kRsaPssPssSha512, TestKeyType::kRsaPss2048},
};

// One of each type for all tests: RSA keys take their time.
const TestKey& KeyOf(TestKeyType type) {
  // Never destroyed: OpenSSL may be gone by then.
  static auto& keys = *new std::map<TestKeyType, TestKey>;
  auto found = keys.find(type);
  if (found == keys.end()) found = keys.emplace(type, TestKey::Generate(type)).first;
  return found->second;
}

// What the server makes of a proof with `key` and `scheme` when it asked for `asked` alone.
Answer Prove(const char* suite, const TestKey& key, SignatureScheme scheme, uint16_t asked) {
  ClientAndServer pair({.suite = suite});
  EXPECT_STREQ(SSL_get_cipher_name(pair.tls.client()), suite);
  pair.agent.Hold(key, scheme);
  signet_request request{};
  request.size = sizeof request;
  request.signature_schemes = &asked;
  request.signature_scheme_count = 1;
  EXPECT_EQ(signet_requester_request(pair.requester.get(), &request, 1, nullptr), SIGNET_OK);
  for (const Frame& frame : pair.ServerFrames()) EXPECT_EQ(pair.Deliver(frame), SIGNET_OK);
  pair.TellAgent();
  EXPECT_EQ(pair.AgentSays(pair.agent.Proof(1)), SIGNET_OK);
  return pair.Finish().at(0);
}

class SchemeTest : public ::testing::TestWithParam<std::tuple<const char*, Case>> {};

TEST_P(SchemeTest, ProvesAnIdentity) {
  const auto& [suite, test] = GetParam();
  const auto code = static_cast<uint16_t>(test.scheme);
  const Answer answer = Prove(suite, KeyOf(test.key), test.scheme, code);
  EXPECT_EQ(answer.result, SIGNET_RESULT_IDENTITY) << answer.detail;
  EXPECT_EQ(answer.scheme, code);
}

TEST_P(SchemeTest, IsDeclinedWhereAnotherWasAskedFor) {
  const auto& [suite, test] = GetParam();
  const uint16_t other = test.scheme == SignatureScheme::kEd25519 ? 0x0403 : 0x0807;
  EXPECT_EQ(Prove(suite, KeyOf(test.key), test.scheme, other).result, SIGNET_RESULT_DECLINED);
}

INSTANTIATE_TEST_SUITE_P(All, SchemeTest,
                         ::testing::Combine(::testing::Values("TLS_AES_128_GCM_SHA256",
                                                              "TLS_AES_256_GCM_SHA384"),
                                            ::testing::ValuesIn(kCases)),
                         [](const auto& test) {
                           return std::string(wire::Name(std::get<1>(test.param).scheme)) + "_on_" +
                                  std::get<0>(test.param);
                         });

// -- one RSA key under several certificates

// id-RSASSA-PSS with these parameters (DER), or with none.
Der PssPublicKey(const TestKey& rsa, const char* parameters) {
  uint8_t* key = nullptr;
  const int key_size = i2d_PublicKey(rsa.get(), &key);
  X509_PUBKEY* info = X509_PUBKEY_new();
  ASN1_STRING* sequence = nullptr;
  if (parameters != nullptr) {
    const Der der = signet::testing::FromHex(parameters);
    sequence = ASN1_STRING_new();
    ASN1_STRING_set(sequence, der.data(), static_cast<int>(der.size()));
  }
  X509_PUBKEY_set0_param(info, OBJ_nid2obj(NID_rsassaPss),
                         sequence == nullptr ? V_ASN1_UNDEF : V_ASN1_SEQUENCE, sequence, key,
                         key_size);
  uint8_t* der = nullptr;
  const int size = i2d_X509_PUBKEY(info, &der);
  Der out(der, der + size);
  OPENSSL_free(der);
  X509_PUBKEY_free(info);
  return out;
}

// RSASSA-PSS-params of RFC 4055 section 3.1: [0] hash, [1] mask generation, [2] least salt.
constexpr char kSha256[] =
    "3034 a00f 300d 06096086480165030402010500"
    "a11c 301a 06092a864886f70d010108 300d 06096086480165030402010500"
    "a203 020120";
constexpr char kSha384[] =
    "3034 a00f 300d 06096086480165030402020500"
    "a11c 301a 06092a864886f70d010108 300d 06096086480165030402020500"
    "a203 020130";
constexpr char kSha256ButMaskOfSha1[] = "3016 a00f 300d 06096086480165030402010500 a203 020120";
constexpr char kSha256WithLongSalt[] =
    "3034 a00f 300d 06096086480165030402010500"
    "a11c 301a 06092a864886f70d010108 300d 06096086480165030402010500"
    "a203 020140";
constexpr char kDefaults[] = "3000";  // SHA-1, MGF1 with SHA-1, 20

// Which of the six RSA-PSS schemes the certificate takes, each with a signature that is right but
// for what the certificate says: 0x0804 is 1, 0x0805 is 2, ... 0x080b is 32.
int SchemesTaken(const TestKey& rsa, const Der& public_key) {
  static constexpr uint16_t kPssSchemes[] = {0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b};
  const Der certificate = TestCa::Root("Root").Issue(public_key);
  const Der message = {'m'};
  int taken = 0;
  for (size_t i = 0; i < std::size(kPssSchemes); ++i) {
    const Der signature = rsa.Sign(kPssSchemes[i], message);
    taken |= signet_openssl_verify(nullptr, {certificate.data(), certificate.size()},
                                   kPssSchemes[i], {message.data(), message.size()},
                                   {signature.data(), signature.size()})
             << i;
  }
  return taken;
}

TEST(PssCertificateTest, TakesTheSchemesOfItsKindOfKeyThatItsParametersAllow) {
  constexpr int kRsae = 0b000111, kPss = 0b111000, kNone = 0;
  const TestKey& rsa = KeyOf(TestKeyType::kRsa2048);
  EXPECT_EQ(SchemesTaken(rsa, rsa.public_key()), kRsae);
  EXPECT_EQ(SchemesTaken(rsa, PssPublicKey(rsa, nullptr)), kPss);
  EXPECT_EQ(SchemesTaken(rsa, PssPublicKey(rsa, kSha256)), 0b001000);
  EXPECT_EQ(SchemesTaken(rsa, PssPublicKey(rsa, kSha384)), 0b010000);
  EXPECT_EQ(SchemesTaken(rsa, PssPublicKey(rsa, kSha256ButMaskOfSha1)), kNone);
  EXPECT_EQ(SchemesTaken(rsa, PssPublicKey(rsa, kSha256WithLongSalt)), kNone);
  EXPECT_EQ(SchemesTaken(rsa, PssPublicKey(rsa, kDefaults)), kNone);
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace signet::test
