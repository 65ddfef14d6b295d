#include "agent/cli/secret_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/cli/cli_fixture.h"

namespace signet::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class SecretFileTest : public CliTest {
 protected:
  absl::StatusOr<std::string> Read(const std::string& path) {
    std::ostringstream out, err;
    Console console{-1, out, err};
    return ReadSecret(path, "refresh token", console);
  }
};

TEST_F(SecretFileTest, IsTheOneLineWithoutItsEnd) {
  for (const char* content : {"abc", "abc\n", "abc\r\n"}) {
    const auto secret = Read(WriteFile("secret", content));
    ASSERT_TRUE(secret.ok()) << secret.status();
    EXPECT_EQ(*secret, "abc");
  }
}

TEST_F(SecretFileTest, IsRefusedWhenThereIsNoneOrMoreThanOne) {
  for (const std::string& content :
       {std::string(), std::string("\n"), std::string("abc\nabc\n"), std::string(70'000, 'a')}) {
    const auto secret = Read(WriteFile("secret", content));
    EXPECT_THAT(secret.status().message(),
                AllOf(HasSubstr("refresh token in one line"), Not(HasSubstr("abc"))));
  }
  EXPECT_THAT(Read(agent_.folder() + "/none").status().message(), HasSubstr("No such file"));
}

TEST_F(SecretFileTest, IsNeededForARefreshGrant) {
  const Outcome run = RunCommand({"oauth", "token", "laptop", "--issuer", "https://login.example",
                                  "--client-id", "x", "--grant", "refresh_token"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("needs --refresh-token-file"));
}

}  // namespace
}  // namespace signet::cli
