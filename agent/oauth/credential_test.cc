#include "agent/oauth/credential.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/oauth/thumbprint.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_ca.h"

namespace signet::oauth {
namespace {

using std::chrono::hours;
using std::chrono::system_clock;
using test::TestCa;
using test::TestKey;
using test::TestKeyType;
using ::testing::HasSubstr;

// OpenSSL's own store of files; identities are tested in tests/integration/oauth.
class CredentialTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& pem) {
    return folder_.Write("credential.pem", pem).native();
  }

  test::TemporaryFolder folder_;
  const TestCa root_ = TestCa::Root("Root");
  const TestKey key_ = TestKey::Generate(TestKeyType::kP256);
};

TEST_F(CredentialTest, IsKeyAndChain) {
  const test::Der leaf = root_.Issue(key_.public_key());
  const auto credential =
      LoadCredential(Write(key_.private_pem() + test::ToPem({leaf, root_.certificate()})));
  ASSERT_TRUE(credential.ok()) << credential.status();
  EXPECT_EQ(credential->chain.size(), 2u);
  EXPECT_EQ(EVP_PKEY_eq(credential->key.get(), key_.get()), 1);
  EXPECT_EQ(credential->thumbprint(), Thumbprint(leaf));
}

TEST_F(CredentialTest, MustBeValidNow) {
  const test::Der old = root_.Issue(
      key_.public_key(),
      {.not_before = system_clock::now() - hours(48), .not_after = system_clock::now() - hours(1)});
  EXPECT_THAT(LoadCredential(Write(key_.private_pem() + test::ToPem({old}))).status().message(),
              HasSubstr("has expired"));
  const test::Der early =
      root_.Issue(key_.public_key(), {.not_before = system_clock::now() + hours(1)});
  EXPECT_THAT(LoadCredential(Write(key_.private_pem() + test::ToPem({early}))).status().message(),
              HasSubstr("not valid yet"));
}

TEST_F(CredentialTest, NeedsBothAndSaysWhatIsMissing) {
  EXPECT_THAT(LoadCredential(Write(key_.private_pem())).status().message(),
              HasSubstr("no certificate"));
  EXPECT_THAT(LoadCredential(Write(test::ToPem({root_.certificate()}))).status().message(),
              HasSubstr("no key"));
  const absl::Status none = LoadCredential((folder_.path() / "none.pem").native()).status();
  EXPECT_FALSE(none.ok());
  EXPECT_NE(none.message(), "");
}

}  // namespace
}  // namespace signet::oauth
