#include "agent/identity/signature_check.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <vector>

#include "tests/support/fake_tokens.h"
#include "tests/support/test_ca.h"

namespace signet::agent {
namespace {

using test::TestKey;
using test::TestKeyType;
using enum wire::SignatureScheme;

const wire::Bytes kMessage = {'m', 's', 'g'};

TEST(SignatureCheck, AcceptsEachSchemeOfEachKeyAndNothingElse) {
  const std::vector<wire::SignatureScheme> all = {kEcdsaSecp256r1Sha256,
                                                  kEcdsaSecp384r1Sha384,
                                                  kEcdsaSecp521r1Sha512,
                                                  kRsaPssRsaeSha256,
                                                  kRsaPssRsaeSha384,
                                                  kRsaPssRsaeSha512,
                                                  kRsaPssPssSha256,
                                                  kRsaPssPssSha384,
                                                  kRsaPssPssSha512,
                                                  kEd25519,
                                                  kEd448};
  for (TestKeyType type :
       {TestKeyType::kP256, TestKeyType::kP384, TestKeyType::kP521, TestKeyType::kRsa2048,
        TestKeyType::kRsaPss2048, TestKeyType::kEd25519, TestKeyType::kEd448}) {
    const TestKey key = TestKey::Generate(type);
    for (wire::SignatureScheme made : test::SchemesOf(type)) {
      wire::Bytes signature = key.Sign(static_cast<uint16_t>(made), kMessage);
      for (wire::SignatureScheme claimed : all) {
        EXPECT_EQ(IsSignature(*key.get(), claimed, kMessage, signature), claimed == made)
            << wire::Name(made) << " as " << wire::Name(claimed);
      }
      EXPECT_FALSE(IsSignature(*key.get(), made, wire::Bytes{'x'}, signature));
      signature.back() ^= 1;
      EXPECT_FALSE(IsSignature(*key.get(), made, kMessage, signature));
      EXPECT_FALSE(IsSignature(*key.get(), made, kMessage, {}));
    }
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(SignatureCheck, RefusesAnotherKeysSignature) {
  const TestKey key = TestKey::Generate(TestKeyType::kP256);
  const TestKey other = TestKey::Generate(TestKeyType::kP256);
  EXPECT_FALSE(
      IsSignature(*key.get(), kEcdsaSecp256r1Sha256, kMessage, other.Sign(0x0403, kMessage)));
}

// The mix that TLS 1.2 allowed: P-384 with SHA-256.
TEST(SignatureCheck, RefusesAHashThatDoesNotBelongToTheCurve) {
  const TestKey key = TestKey::Generate(TestKeyType::kP384);
  const wire::Bytes mixed = key.Sign(0x0403, kMessage);
  EXPECT_FALSE(IsSignature(*key.get(), kEcdsaSecp256r1Sha256, kMessage, mixed));
  EXPECT_FALSE(IsSignature(*key.get(), kEcdsaSecp384r1Sha384, kMessage, mixed));
}

TEST(SignatureCheck, RefusesPkcs1) {
  const TestKey key = TestKey::Generate(TestKeyType::kRsa2048);
  EXPECT_FALSE(IsSignature(*key.get(), kRsaPkcs1Sha256, kMessage, key.Sign(0x0401, kMessage)));
}

}  // namespace
}  // namespace signet::agent
