#include "agent/policy/policy_folders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agent/policy/configuration.h"
#include "tests/support/temporary_folder.h"

namespace signet::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PolicyFolders : public ::testing::Test {
 protected:
  PolicyFolders() { folder_.Write("signet.toml", RuleFor("own")); }

  static std::string RuleFor(const std::string& identity) {
    return "[[rule]]\norigin = \"https://a\"\nidentity = \"" + identity +
           "\"\ndecision = \"deny\"\n";
  }

  absl::StatusOr<Configuration> Load() {
    return LoadConfiguration(folder_.path() / "signet.toml",
                             {folder_.path() / "vendor", folder_.path() / "admin"});
  }
  std::vector<std::string> Identities() {
    const absl::StatusOr<Configuration> configuration = Load();
    EXPECT_TRUE(configuration.ok()) << configuration.status();
    std::vector<std::string> identities;
    if (!configuration.ok()) return identities;
    for (const Rule& rule : configuration->rules) identities.push_back(rule.identity);
    return identities;
  }

  const test::TemporaryFolder folder_;
};

TEST_F(PolicyFolders, NeedNotBeThere) { EXPECT_THAT(Identities(), ElementsAre("own")); }

TEST_F(PolicyFolders, ComeBeforeTheConfigurationTheVendorFirst) {
  folder_.Write("conf.d/10.toml", RuleFor("drop-in"));
  folder_.Write("admin/10-a.toml", RuleFor("admin"));
  folder_.Write("vendor/90-b.toml", RuleFor("vendor-90"));
  folder_.Write("vendor/20-c.toml", RuleFor("vendor-20"));
  folder_.Write("vendor/README", "no TOML");
  folder_.Write("vendor/.20-c.toml", "an editor's");
  EXPECT_THAT(Identities(), ElementsAre("vendor-20", "vendor-90", "admin", "own", "drop-in"));
  EXPECT_EQ(Load()->rules[2].Where(), (folder_.path() / "admin/10-a.toml:1").native());
}

TEST_F(PolicyFolders, AFileOfTheAdministratorReplacesTheVendorsOfThatName) {
  folder_.Write("vendor/10.toml", RuleFor("vendor-10"));
  folder_.Write("vendor/20.toml", RuleFor("vendor-20"));
  folder_.Write("admin/10.toml", "# not here\n");
  EXPECT_THAT(Identities(), ElementsAre("vendor-20", "own"));
}

TEST_F(PolicyFolders, HoldRulesAndLimitsAndNothingElse) {
  folder_.Write("vendor/10.toml", RuleFor("vendor") + "[access]\nuse = [0]\n");
  EXPECT_THAT(std::string(Load().status().message()),
              HasSubstr("vendor/10.toml:5:2: unknown key \"access\""));
}

TEST_F(PolicyFolders, OneFileThatIsNotUnderstoodRefusesAll) {
  folder_.Write("admin/10.toml", "[[rule]]\norigin = \"https://a\"\ndecision = \"dent\"\n");
  EXPECT_THAT(std::string(Load().status().message()),
              HasSubstr("admin/10.toml:3:12: unknown decision \"dent\""));
  folder_.Write("admin/10.toml", "");
  EXPECT_TRUE(Load().ok());
  std::filesystem::create_directories(folder_.path() / "admin/20.toml");
  EXPECT_FALSE(Load().ok()) << "a folder is no file";
}

}  // namespace
}  // namespace signet::agent
