#include "agent/policy/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/temporary_folder.h"

namespace signet::agent {
namespace {

using ::testing::HasSubstr;

constexpr const char* kRule = "[[rule]]\norigin = \"https://a\"\ndecision = \"deny\"\n";

std::string Written(const test::TemporaryFolder& folder, const CheckResult& result) {
  std::string text;
  for (const Problem& problem : result.problems) {
    text += std::filesystem::relative(problem.file, folder.path()).native() + " " +
            std::to_string(problem.line) + " " + std::to_string(problem.column) + "; ";
  }
  return text;
}

class CheckTest : public ::testing::Test {
 protected:
  CheckTest() {
    folder_.Write("signet.toml", kRule);
    folder_.Write("conf.d/10.toml", kRule);
    folder_.Write("vendor/10.toml", kRule);
    folder_.Write("state/policy.toml", kRule);
  }
  CheckResult Check() {
    return CheckPlaces({folder_.path() / "signet.toml",
                        {folder_.path() / "vendor", folder_.path() / "admin"},
                        folder_.path() / "state"});
  }

  const test::TemporaryFolder folder_;
};

TEST_F(CheckTest, ReadsAllThatAnAgentReads) {
  const CheckResult result = Check();
  EXPECT_EQ(Written(folder_, result), "");
  EXPECT_EQ(result.files.size(), 4u);
  EXPECT_EQ(result.rules, 4u);
  std::filesystem::remove_all(folder_.path() / "state");
  EXPECT_EQ(Check().files.size(), 3u);
}

TEST_F(CheckTest, NamesTheFirstProblemOfEachFile) {
  folder_.Write("vendor/10.toml", "[access]\n");
  folder_.Write("signet.toml", std::string(kRule) + "finaly = true\nkin = 1\n");
  folder_.Write("conf.d/10.toml", "[limits]\nper_caller = 0\n");
  folder_.Write("state/policy.toml", "rule = \n");
  const CheckResult result = Check();
  EXPECT_EQ(Written(folder_, result),
            "vendor/10.toml 1 2; signet.toml 4 1; conf.d/10.toml 2 14; state/policy.toml 1 8; ");
  EXPECT_THAT(result.problems[1].message, HasSubstr("unknown key \"finaly\" in [[rule]]"));
  EXPECT_THAT(result.problems[2].message, HasSubstr("per_caller is not a number from 1"));
}

TEST_F(CheckTest, SeesWhatTwoFilesContradict) {
  const std::string backend = "[[backend]]\nname = \"a\"\ntype = \"software\"\n";
  folder_.Write("signet.toml", backend);
  folder_.Write("conf.d/10.toml", backend);
  EXPECT_EQ(Written(folder_, Check()), "conf.d/10.toml 2 8; ");
}

TEST_F(CheckTest, AFileThatCannotBeReadIsAProblemWithoutALine) {
  std::filesystem::remove(folder_.path() / "signet.toml");
  const CheckResult result = Check();
  EXPECT_EQ(Written(folder_, result), "signet.toml 0 0; ");
  EXPECT_THAT(result.problems[0].message, HasSubstr("open: "));
}

TEST_F(CheckTest, OfOneFileGoesByItsFolder) {
  const auto own = folder_.Write("own.toml", "[access]\nuse = [0]\n");
  EXPECT_EQ(Written(folder_, CheckFile(own)), "");
  const auto policy = folder_.Write("policy.d/own.toml", "[access]\nuse = [0]\n");
  EXPECT_EQ(Written(folder_, CheckFile(policy)), "policy.d/own.toml 1 2; ");
}

}  // namespace
}  // namespace signet::agent
