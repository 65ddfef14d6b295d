#include "agent/upstream/upstream_identities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_ca.h"

namespace signet::agent {
namespace {

using ::testing::HasSubstr;

class ReadListingTest : public ::testing::Test {
 protected:
  v1::Identity& List(const std::string& name) {
    v1::Identity& identity = *listing_.add_identities();
    identity.set_name(name);
    identity.set_kind(v1::IDENTITY_KIND_DEVICE);
    identity.set_algorithm("p256");
    identity.set_hardware(true);
    identity.set_subject("CN=" + name);
    identity.set_usable(true);
    const wire::Bytes leaf = ca_.Issue(key_.public_key(), {});
    identity.add_chain(leaf.data(), leaf.size());
    identity.add_signature_schemes(0x0403);
    return identity;
  }

  const test::TestCa ca_ = test::TestCa::Root("CA");
  const test::TestKey key_ = test::TestKey::Generate(test::TestKeyType::kP256);
  v1::ListIdentitiesResponse listing_;
};

TEST_F(ReadListingTest, KnowsOfADevicesIdentityWhatSelectionNeeds) {
  v1::Identity& broken = List("broken");
  broken.set_usable(false);
  broken.set_reason("the token is locked");
  List("laptop");
  const UpstreamIdentities read = ReadListing(listing_, "system");
  EXPECT_TRUE(read.problem.ok());
  EXPECT_TRUE(read.hardware);
  ASSERT_EQ(read.keys.size(), 2u);
  EXPECT_THAT(read.keys[0].unusable, HasSubstr("the token is locked"));
  const FoundKey& laptop = read.keys[1];
  EXPECT_EQ(laptop.key.backend, "system");
  EXPECT_EQ(std::string(laptop.key.reference.begin(), laptop.key.reference.end()), "laptop");
  EXPECT_EQ(laptop.label, "laptop");
  EXPECT_EQ(laptop.public_key, key_.public_key());
  EXPECT_EQ(laptop.schemes,
            std::vector<wire::SignatureScheme>{wire::SignatureScheme::kEcdsaSecp256r1Sha256});
  EXPECT_EQ(laptop.kind, IdentityKind::kDevice);
  EXPECT_TRUE(laptop.upstream);
  EXPECT_TRUE(laptop.unusable.empty());
}

TEST_F(ReadListingTest, KnowsThePreviousCertificateToo) {
  v1::Identity& laptop = List("laptop");
  const wire::Bytes previous = ca_.Issue(key_.public_key(), {.common_name = "previous"});
  laptop.mutable_previous()->add_chain(previous.data(), previous.size());
  const UpstreamIdentities read = ReadListing(listing_, "system");
  ASSERT_EQ(read.keys.size(), 1u);
  EXPECT_EQ(read.keys[0].previous_chain, std::vector<wire::Bytes>{previous});
}

TEST_F(ReadListingTest, TakesNothingButDevicesWithACertificate) {
  List("alice").set_kind(v1::IDENTITY_KIND_USER);
  List("www").set_kind(v1::IDENTITY_KIND_SERVER);
  v1::Identity& fresh = List("fresh");
  fresh.clear_subject();
  fresh.clear_chain();
  const UpstreamIdentities read = ReadListing(listing_, "system");
  EXPECT_TRUE(read.keys.empty());
  EXPECT_TRUE(read.problem.ok());
}

TEST_F(ReadListingTest, SaysWhyItLeavesOneOut) {
  List("older").clear_chain();
  EXPECT_THAT(ReadListing(listing_, "system").problem.message(), HasSubstr("as older versions do"));
  listing_.Clear();
  List("rubbish").set_chain(0, "no certificate");
  List("no/name");
  List("laptop");
  const UpstreamIdentities read = ReadListing(listing_, "system");
  EXPECT_THAT(read.problem.message(), HasSubstr("can't be read"));
  EXPECT_EQ(read.keys.size(), 1u);
}

}  // namespace
}  // namespace signet::agent
