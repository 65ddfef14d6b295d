#include "agent/policy/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "agent/storage/durable_file.h"
#include "tests/support/kill_at_system_calls.h"
#include "tests/support/temporary_folder.h"

namespace signet::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Rule MakeRule(Verdict decision, const std::string& origin, const std::string& identity = "*",
              const std::string& program = "") {
  return {*OriginPattern::Parse(origin), identity, program, decision, "/etc/signet/signet.toml"};
}

Executable ExecutableAt(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0);
  return {status.st_dev, status.st_ino, path};
}

Policy MakePolicy(std::vector<Rule> configured, std::vector<Rule> added = {}) {
  return Policy({{1000}, {0}}, std::move(configured), std::move(added));
}

Verdict Decided(const Policy& policy, const std::string& origin, const std::string& identity,
                const Caller& caller = {}) {
  return policy.Decide(caller, *ParseOrigin(origin), {identity}).verdict;
}

TEST(Policy, DeniesWithoutARuleAndNamesTheCommandThatAllows) {
  const Decision decision =
      MakePolicy({}).Decide({}, *ParseOrigin("https://host:8443"), {"laptop"});
  EXPECT_EQ(decision.verdict, Verdict::kDeny);
  EXPECT_EQ(decision.rule, nullptr);
  EXPECT_EQ(
      decision.reason,
      "no rule allows identity \"laptop\" at https://host:8443; to allow: signet policy allow "
      "https://host:8443 --identity laptop");
}

TEST(Policy, QuotesTheCommandForAShell) {
  const Decision decision =
      MakePolicy({}).Decide({}, *ParseOrigin("https://[::1]"), {"Bob's card; rm -rf"});
  EXPECT_THAT(decision.reason, HasSubstr("allow 'https://[::1]:443' --identity "
                                         "'Bob'\\''s card; rm -rf'"));
}

TEST(Policy, LaterRulesWin) {
  const Policy policy = MakePolicy({MakeRule(Verdict::kAllow, "https://*.example:*"),
                                    MakeRule(Verdict::kDeny, "https://bank.example"),
                                    MakeRule(Verdict::kAsk, "https://bank.example", "alice")},
                                   {MakeRule(Verdict::kDeny, "https://ask.example", "bob")});
  EXPECT_EQ(Decided(policy, "https://a.example", "alice"), Verdict::kAllow);
  EXPECT_EQ(Decided(policy, "https://bank.example", "bob"), Verdict::kDeny);
  EXPECT_EQ(Decided(policy, "https://bank.example", "alice"), Verdict::kAsk);
  EXPECT_EQ(Decided(policy, "https://bank.example:8443", "bob"), Verdict::kAllow);
  EXPECT_EQ(Decided(policy, "https://ask.example", "bob"), Verdict::kDeny);
  EXPECT_EQ(Decided(policy, "https://other.net", "alice"), Verdict::kDeny);
}

TEST(Policy, ALaterStarWinsOverAnEarlierName) {
  const Policy policy = MakePolicy({MakeRule(Verdict::kAllow, "https://a.example", "alice"),
                                    MakeRule(Verdict::kDeny, "https://a.example", "*")});
  EXPECT_EQ(Decided(policy, "https://a.example", "alice"), Verdict::kDeny);
}

TEST(Policy, AddedRulesComeAfterConfiguredOnes) {
  Policy policy = MakePolicy({MakeRule(Verdict::kDeny, "https://a.example")},
                             {MakeRule(Verdict::kAllow, "https://a.example")});
  EXPECT_EQ(Decided(policy, "https://a.example", "alice"), Verdict::kAllow);
  EXPECT_EQ(policy.rules().size(), 2u);
  policy.ReplaceAdded({});
  EXPECT_EQ(Decided(policy, "https://a.example", "alice"), Verdict::kDeny);
}

TEST(Policy, SaysWhetherTheRuleNamesTheIdentity) {
  const Policy policy = MakePolicy({MakeRule(Verdict::kAllow, "https://a.example"),
                                    MakeRule(Verdict::kAllow, "https://a.example", "alice")});
  EXPECT_TRUE(policy.Decide({}, *ParseOrigin("https://a.example"), {"alice"}).named);
  EXPECT_FALSE(policy.Decide({}, *ParseOrigin("https://a.example"), {"bob"}).named);
}

TEST(Policy, ADenyingRuleIsNamedWithItsFile) {
  const Policy policy = MakePolicy({MakeRule(Verdict::kDeny, "https://a.example")});
  const Decision decision = policy.Decide({}, *ParseOrigin("https://a.example"), {"alice"});
  EXPECT_NE(decision.rule, nullptr);
  EXPECT_THAT(decision.reason, HasSubstr("/etc/signet/signet.toml denies identity \"alice\""));
  EXPECT_THAT(decision.reason, HasSubstr("signet policy allow"));
}

TEST(Policy, MatchesProgramsByTheFileThatThePathLeadsTo) {
  const test::TemporaryFolder folder;
  const auto program = folder.Write("browser", "v1");
  const auto other = folder.Write("other", "x");
  const auto link = folder.path() / "link";
  std::filesystem::create_symlink(program, link);
  Caller caller;
  for (const auto& named : {program, link}) {
    const Policy policy = MakePolicy({MakeRule(Verdict::kAllow, "https://*:*", "*", named)});
    caller.executable = ExecutableAt(program);
    EXPECT_EQ(Decided(policy, "https://a.example", "alice", caller), Verdict::kAllow);
    caller.executable->path = "/called/otherwise";
    EXPECT_EQ(Decided(policy, "https://a.example", "alice", caller), Verdict::kAllow);
    caller.executable = ExecutableAt(other);
    caller.executable->path = program;  // a name proves nothing
    EXPECT_EQ(Decided(policy, "https://a.example", "alice", caller), Verdict::kDeny);
    caller.executable.reset();
    EXPECT_EQ(Decided(policy, "https://a.example", "alice", caller), Verdict::kDeny);
  }
}

TEST(Policy, FollowsAProgramThroughAnUpdate) {
  const test::TemporaryFolder folder;
  const auto program = folder.Write("browser", "v1");
  const Policy policy =
      MakePolicy({MakeRule(Verdict::kAllow, "https://*:*", "*", program.native())});
  Caller old_process;
  old_process.executable = ExecutableAt(program);
  std::filesystem::rename(folder.Write("browser.new", "v2"), program);
  Caller new_process;
  new_process.executable = ExecutableAt(program);
  EXPECT_EQ(Decided(policy, "https://a.example", "alice", new_process), Verdict::kAllow);
  EXPECT_EQ(Decided(policy, "https://a.example", "alice", old_process), Verdict::kDeny);
  std::filesystem::remove(program);
  EXPECT_EQ(Decided(policy, "https://a.example", "alice", new_process), Verdict::kDeny);
}

TEST(Policy, UnknownProgramsMatchRulesWithoutAProgram) {
  const Policy policy = MakePolicy({MakeRule(Verdict::kAllow, "https://a.example")});
  EXPECT_EQ(Decided(policy, "https://a.example", "alice", Caller{}), Verdict::kAllow);
}

TEST(Policy, UsingAndAdministeringAreSeparateDoors) {
  const Policy policy = MakePolicy({});
  const auto caller = [](uid_t uid) {
    Caller made;
    made.uid = uid;
    return made;
  };
  EXPECT_TRUE(policy.MayUse(caller(1000)));
  EXPECT_FALSE(policy.MayAdminister(caller(1000)));
  EXPECT_FALSE(policy.MayUse(caller(0)));
  EXPECT_TRUE(policy.MayAdminister(caller(0)));
  // Root is nobody special where it is not configured.
  EXPECT_FALSE(Policy({{1000}, {1000}}, {}, {}).MayAdminister(caller(0)));
}

TEST(Policy, ListsWhatSomeRuleAdmits) {
  const test::TemporaryFolder folder;
  const auto program = folder.Write("browser", "v1");
  const Policy policy = MakePolicy({
      MakeRule(Verdict::kAllow, "https://a.example", "allowed"),
      MakeRule(Verdict::kAsk, "https://a.example", "asked"),
      MakeRule(Verdict::kDeny, "https://a.example", "denied"),
      MakeRule(Verdict::kAllow, "https://a.example", "programs", program),
      MakeRule(Verdict::kAllow, "https://a.example", "revoked"),
      MakeRule(Verdict::kDeny, "https://*:*", "revoked"),
      MakeRule(Verdict::kAllow, "https://*.example", "partly"),
      MakeRule(Verdict::kDeny, "https://a.example", "partly"),
  });
  EXPECT_TRUE(policy.Lists({}, {"allowed"}));
  EXPECT_TRUE(policy.Lists({}, {"asked"}));
  EXPECT_TRUE(policy.Lists({}, {"partly"}));
  EXPECT_FALSE(policy.Lists({}, {"denied"}));
  EXPECT_FALSE(policy.Lists({}, {"revoked"}));
  EXPECT_FALSE(policy.Lists({}, {"unknown"}));
  EXPECT_FALSE(policy.Lists({}, {"programs"}));
  Caller browser;
  browser.executable = ExecutableAt(program);
  EXPECT_TRUE(policy.Lists(browser, {"programs"}));
  EXPECT_TRUE(MakePolicy({MakeRule(Verdict::kAllow, "https://a.example")}).Lists({}, {"any"}));
}

TEST(AddedRules, SurviveSavingAndLoading) {
  const test::TemporaryFolder folder;
  const std::string odd = "we\"ird\\na'me\t\xc3\xbc\n[[rule]]";
  const std::vector<Rule> rules = {
      MakeRule(Verdict::kAllow, "https://*.example:*", odd, "/opt/my \"app\""),
      MakeRule(Verdict::kDeny, "https://[::1]:8443"), MakeRule(Verdict::kAsk, "https://b.example")};
  ASSERT_TRUE(SaveAddedRules(folder.path(), rules).ok());
  const absl::StatusOr<std::vector<Rule>> loaded = LoadAddedRules(folder.path());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  ASSERT_EQ(loaded->size(), rules.size());
  for (size_t i = 0; i < rules.size(); ++i) {
    EXPECT_EQ((*loaded)[i].origin, rules[i].origin);
    EXPECT_EQ((*loaded)[i].identity, rules[i].identity);
    EXPECT_EQ((*loaded)[i].program, rules[i].program);
    EXPECT_EQ((*loaded)[i].decision, rules[i].decision);
    EXPECT_EQ((*loaded)[i].source, folder.path() / "policy.toml");
  }
  EXPECT_THAT(*ReadFile(folder.path() / "policy.toml"), StartsWith("# Written by `signet policy"));
}

TEST(AddedRules, NoneIsNoFileOrAnEmptyOne) {
  const test::TemporaryFolder folder;
  EXPECT_TRUE(LoadAddedRules(folder.path())->empty());
  ASSERT_TRUE(SaveAddedRules(folder.path(), {}).ok());
  EXPECT_TRUE(LoadAddedRules(folder.path())->empty());
}

TEST(AddedRules, AProcessKilledAtAnySystemCallLeavesTheOldRulesOrTheNew) {
  std::optional<test::TemporaryFolder> folder;
  const std::vector<Rule> before = {MakeRule(Verdict::kAllow, "https://a.example")};
  const std::vector<Rule> after = {before[0], MakeRule(Verdict::kDeny, "https://b.example")};
  const int kills = test::KillAtEachSystemCall(
      [&] {
        folder.emplace();
        ASSERT_TRUE(SaveAddedRules(folder->path(), before).ok());
      },
      [&] { return SaveAddedRules(folder->path(), after).ok(); },
      [&](bool done) {
        const absl::StatusOr<std::vector<Rule>> loaded = LoadAddedRules(folder->path());
        ASSERT_TRUE(loaded.ok()) << loaded.status();
        EXPECT_GE(loaded->size(), done ? 2u : 1u);
      });
  EXPECT_GT(kills, 7);  // open, fchmod, write, fsync, close, rename, and the folder's fsync
}

TEST(AddedRules, AFileThatIsNotUnderstoodIsRefusedWhole) {
  const test::TemporaryFolder folder;
  folder.Write("policy.toml",
               "[[rule]]\norigin = \"https://a.example\"\ndecision = \"allow\"\n"
               "[access]\nadmin = [0]\n");
  const absl::Status status = LoadAddedRules(folder.path()).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("policy.toml:4:2: unknown key \"access\""));
}

TEST(AddedRules, WhatCouldNotBeReadBackIsNotSaved) {
  const test::TemporaryFolder folder;
  const std::vector<Rule> good = {MakeRule(Verdict::kAllow, "https://a.example")};
  ASSERT_TRUE(SaveAddedRules(folder.path(), good).ok());
  const std::string nul("/usr/bin/curl\0x", 15);
  const std::vector<Rule> unreadable = {
      MakeRule(Verdict::kAllow, "https://a.example", "alice", nul)};
  EXPECT_TRUE(absl::IsInvalidArgument(SaveAddedRules(folder.path(), unreadable)));
  const std::vector<Rule> too_many(
      12'000, MakeRule(Verdict::kAllow, "https://a.example", std::string(64, 'x')));
  EXPECT_TRUE(absl::IsInvalidArgument(SaveAddedRules(folder.path(), too_many)));
  EXPECT_EQ(LoadAddedRules(folder.path())->size(), 1u) << "the good ones are still there";
}

TEST(AddedRules, AFolderThatCannotBeWrittenIsNamed) {
  const test::TemporaryFolder folder;
  const auto file = folder.Write("file", "");
  const absl::Status status = SaveAddedRules(file, {});
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(file.native()));
}

TEST(AddedRules, ANewRuleReplacesTheOneForTheSame) {
  std::vector<Rule> rules = {MakeRule(Verdict::kAllow, "https://a.example", "alice"),
                             MakeRule(Verdict::kDeny, "https://a.example")};
  rules = WithRule(rules, MakeRule(Verdict::kDeny, "https://A.example:443", "alice"));
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules.back().identity, "alice");
  EXPECT_EQ(rules.back().decision, Verdict::kDeny);
  rules = WithRule(rules, MakeRule(Verdict::kDeny, "https://a.example", "alice", "/usr/bin/curl"));
  EXPECT_EQ(rules.size(), 3u);
}

}  // namespace
}  // namespace signet::agent
