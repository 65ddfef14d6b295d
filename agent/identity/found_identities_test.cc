#include "agent/identity/found_identities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/test_ca.h"

namespace signet::agent {
namespace {

using test::TestCa;
using test::TestKey;
using test::TestKeyType;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

FoundKey Found(const std::string& label, wire::Bytes public_key = {}) {
  static uint8_t next = 0;
  FoundKey key;
  key.key = {"card", {++next}};
  key.label = label;
  key.algorithm = "p256";
  key.hardware = true;
  key.public_key = public_key.empty() ? wire::Bytes{1, 2, next} : std::move(public_key);
  key.schemes = {wire::SignatureScheme::kEcdsaSecp256r1Sha256};
  return key;
}

std::string NameOf(const FoundKey& key, const std::vector<Identity>& stored = {}) {
  const std::vector<Identity> identities = FoundIdentities({key}, stored);
  return identities.size() == 1 ? identities.front().name : "";
}

TEST(FoundIdentities, AreUsersWithAllThatTheTokenSays) {
  const TestCa ca = TestCa::Root("CA");
  const TestKey test_key = TestKey::Generate(TestKeyType::kP256);
  FoundKey key = Found("alice", test_key.public_key());
  key.chain = {ca.Issue(key.public_key, {.common_name = "Alice"}), ca.certificate()};
  const std::vector<Identity> identities = FoundIdentities({key}, {});
  ASSERT_EQ(identities.size(), 1u);
  const Identity& identity = identities.front();
  EXPECT_EQ(identity.name, "card.alice");
  EXPECT_EQ(identity.kind, IdentityKind::kUser);
  EXPECT_TRUE(identity.found);
  EXPECT_TRUE(identity.hardware);
  EXPECT_EQ(identity.algorithm, "p256");
  EXPECT_EQ(identity.key.backend, "card");
  EXPECT_EQ(identity.key.reference, key.key.reference);
  EXPECT_EQ(identity.public_key, key.public_key);
  EXPECT_EQ(identity.schemes, key.schemes);
  EXPECT_EQ(identity.chain, key.chain);
  ASSERT_NE(identity.facts, nullptr);
}

TEST(FoundIdentities, AChainThatDoesNotFitIsLeftOut) {
  const TestCa ca = TestCa::Root("CA");
  FoundKey other = Found("other", TestKey::Generate(TestKeyType::kP256).public_key());
  other.chain = {ca.certificate()};
  FoundKey broken = Found("broken");
  broken.chain = {{0x30, 0x03, 1, 2, 3}};
  const std::vector<Identity> identities = FoundIdentities({other, broken}, {});
  ASSERT_EQ(identities.size(), 2u);
  for (const Identity& identity : identities) {
    EXPECT_THAT(identity.chain, IsEmpty());
    EXPECT_EQ(identity.facts, nullptr);
  }
}

TEST(FoundIdentities, AnyLabelMakesAName) {
  EXPECT_EQ(NameOf(Found("Certificate for PIV Authentication")),
            "card.Certificate-for-PIV-Authentication");
  EXPECT_EQ(NameOf(Found("  a//b\n\x1b[31m ")), "card.a-b-31m");
  for (const std::string& label :
       {std::string(), std::string("///"), std::string("\xff\x00\xfe", 3), std::string("..")}) {
    EXPECT_TRUE(IsIdentityName(NameOf(Found(label)))) << NameOf(Found(label));
  }
  EXPECT_TRUE(IsIdentityName(NameOf(Found(std::string(500, 'x')))));
  FoundKey odd = Found("alice");
  odd.key.backend = "-./..";
  EXPECT_EQ(NameOf(odd), "alice");
}

TEST(FoundIdentities, KeysOfOneLabelAreToldApartWhateverTheirOrder) {
  const FoundKey one = Found("alice");
  const FoundKey two = Found("alice");
  std::vector<std::string> names;
  for (const Identity& identity : FoundIdentities({one, two}, {})) names.push_back(identity.name);
  EXPECT_THAT(names, ElementsAre(StartsWith("card.alice-"), StartsWith("card.alice-")));
  EXPECT_NE(names[0], names[1]);
  std::vector<std::string> reversed;
  for (const Identity& identity : FoundIdentities({two, one}, {})) {
    reversed.push_back(identity.name);
  }
  EXPECT_THAT(reversed, UnorderedElementsAre(names[0], names[1]));
}

TEST(FoundIdentities, AStoredIdentityKeepsItsKeyAndItsName) {
  Identity stored;
  stored.name = "laptop";
  stored.public_key = {9};
  EXPECT_THAT(FoundIdentities({Found("alice", {9})}, {stored}), IsEmpty());
  stored.name = "card.alice";
  EXPECT_THAT(NameOf(Found("alice", {8}), {stored}), StartsWith("card.alice-"));
}

TEST(FoundIdentities, AKeyThatComesUpTwiceIsOne) {
  EXPECT_EQ(FoundIdentities({Found("a", {7}), Found("b", {7})}, {}).size(), 1u);
}

}  // namespace
}  // namespace signet::agent
