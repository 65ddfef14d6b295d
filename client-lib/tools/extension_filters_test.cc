#include "client-lib/tools/extension_filters.h"

#include <gtest/gtest.h>

#include "tests/support/test_ca.h"

namespace signet::tools {
namespace {

class ExtensionFiltersTest : public testing::Test {
 protected:
  // Whether a leaf with these extensions satisfies the filters.
  bool Matches(const test::CertificateOptions& options) {
    test::Der leaf = ca_.Issue(key_.public_key(), options);
    return filters_.Match({leaf.data(), leaf.size()}, why_);
  }

  test::TestCa ca_ = test::TestCa::Root("Test Root");
  test::TestKey key_ = test::TestKey::Generate(test::TestKeyType::kP256);
  ExtensionFilters filters_;
  std::string why_;
};

TEST_F(ExtensionFiltersTest, NoneMatchesAll) {
  EXPECT_TRUE(Matches({.common_name = "a"}));
  EXPECT_TRUE(filters_.ForRequest().empty());
}

TEST_F(ExtensionFiltersTest, KeyUsageWantsAllBitsSaid) {
  ASSERT_TRUE(filters_.SetKeyUsage({"digitalSignature", "nonRepudiation"}, why_));
  EXPECT_TRUE(Matches({.key_usage = "digitalSignature,nonRepudiation,keyAgreement"}));
  EXPECT_FALSE(Matches({.key_usage = "digitalSignature"}));
  EXPECT_NE(why_.find("key_usage"), std::string::npos);
  EXPECT_FALSE(Matches({.key_usage = ""}));  // which would be good for all, but does not say so
}

TEST_F(ExtensionFiltersTest, ExtendedKeyUsageWantsAllPurposes) {
  ASSERT_TRUE(filters_.SetExtendedKeyUsage({"clientAuth", "1.2.3.4"}, why_));
  EXPECT_TRUE(Matches({.extended_key_usage = "1.2.3.4,emailProtection,clientAuth"}));
  EXPECT_FALSE(Matches({.extended_key_usage = "clientAuth"}));
  EXPECT_FALSE(Matches({.extended_key_usage = ""}));
}

TEST_F(ExtensionFiltersTest, AnyOtherExtensionIsThereOrHasItsValue) {
  ASSERT_TRUE(filters_.AddExtension("2.5.29.17", "", why_));
  EXPECT_TRUE(Matches({.subject_alt_names = "DNS:a.example"}));
  EXPECT_FALSE(Matches({.common_name = "a"}));
  ExtensionFilters with_value;
  ASSERT_TRUE(with_value.AddExtension("2.5.29.17", "3003820161", why_));  // DNS:a
  filters_ = with_value;
  EXPECT_TRUE(Matches({.subject_alt_names = "DNS:a"}));
  EXPECT_FALSE(Matches({.subject_alt_names = "DNS:b"}));
}

TEST_F(ExtensionFiltersTest, RefusesWhatItDoesNotKnow) {
  EXPECT_FALSE(filters_.SetKeyUsage({"everything"}, why_));
  EXPECT_FALSE(filters_.SetExtendedKeyUsage({"1.x"}, why_));
  EXPECT_FALSE(filters_.AddExtension("x", "", why_));
  EXPECT_FALSE(filters_.AddExtension("2.5.29.15", "", why_));
  EXPECT_FALSE(filters_.AddExtension("2.5.29.17", "1", why_));
  const uint8_t garbage[] = {1, 2, 3};
  EXPECT_FALSE(filters_.Match({garbage, sizeof garbage}, why_));
}

}  // namespace
}  // namespace signet::tools
