#include "agent/policy/purpose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/policy/policy.h"
#include "agent/policy/toml_reader.h"

namespace signet::agent {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<std::vector<Rule>> Read(const std::string& text) {
  return ReadRules("test.toml", *ParseToml("test.toml", text));
}

Policy PolicyOf(const std::string& text) { return Policy({{1000}, {}}, *Read(text), {}); }

const Use kAtHost(*ParseOrigin("https://host.example"));
const Use kTlsClient(Purpose::kTlsClient);
const Use kCsr(Purpose::kCsr);

TEST(PurposeTest, ARuleWithoutAPurposeIsForExportedAuthenticators) {
  const Policy policy =
      PolicyOf("[[rule]]\norigin = \"https://*:*\"\nidentity = \"a\"\ndecision = \"allow\"\n");
  EXPECT_EQ(policy.Decide({}, kAtHost, {"a"}).verdict, Verdict::kAllow);
  EXPECT_EQ(policy.Decide({}, kTlsClient, {"a"}).verdict, Verdict::kDeny);
  EXPECT_EQ(policy.Decide({}, kCsr, {"a"}).verdict, Verdict::kDeny);
}

TEST(PurposeTest, ARuleCoversOnePurposeAlone) {
  const Policy policy = PolicyOf("[[rule]]\npurpose = \"tls-client\"\ndecision = \"allow\"\n");
  EXPECT_EQ(policy.Decide({}, kAtHost, {"a"}).verdict, Verdict::kDeny);
  EXPECT_EQ(policy.Decide({}, kTlsClient, {"a"}).verdict, Verdict::kAllow);
  EXPECT_EQ(policy.Decide({}, kCsr, {"a"}).verdict, Verdict::kDeny);
  EXPECT_TRUE(policy.Lists({}, {"a"}));
}

TEST(PurposeTest, ADenyOfOnePurposeLeavesTheOthers) {
  const Policy policy = PolicyOf(
      "[[rule]]\norigin = \"https://*:*\"\ndecision = \"allow\"\n"
      "[[rule]]\npurpose = \"tls-client\"\ndecision = \"deny\"\nfinal = true\n");
  EXPECT_EQ(policy.Decide({}, kAtHost, {"a"}).verdict, Verdict::kAllow);
  EXPECT_EQ(policy.Decide({}, kTlsClient, {"a"}).verdict, Verdict::kDeny);
  EXPECT_TRUE(policy.Lists({}, {"a"}));
}

TEST(PurposeTest, OriginDoesNotCountInATlsHandshake) {
  const Policy policy = PolicyOf(
      "[[rule]]\npurpose = \"tls-client\"\norigin = \"https://elsewhere.example\"\n"
      "decision = \"allow\"\n");
  EXPECT_EQ(policy.Decide({}, kTlsClient, {"a"}).verdict, Verdict::kAllow);
}

TEST(PurposeTest, ARefusalNamesPurposeAndRule) {
  const Policy policy = PolicyOf("");
  EXPECT_EQ(policy.Decide({}, kTlsClient, {"a"}).reason,
            "no rule allows identity \"a\" for tls-client; to allow: signet policy allow --purpose "
            "tls-client --identity a");
}

TEST(PurposeTest, ExplainsWhichPurposeARuleHas) {
  const Policy policy = PolicyOf("[[rule]]\npurpose = \"csr\"\ndecision = \"allow\"\n");
  EXPECT_EQ(policy.Consider({}, kTlsClient, {"a"}).front().why, "purpose is not csr");
}

TEST(PurposeTest, OnlyExportedAuthenticatorsNeedAnOriginAndMayAsk) {
  EXPECT_FALSE(Read("[[rule]]\ndecision = \"allow\"\n").ok());
  EXPECT_FALSE(Read("[[rule]]\npurpose = \"exported-authenticator\"\ndecision = \"allow\"\n").ok());
  EXPECT_THAT(
      std::string(
          Read("[[rule]]\npurpose = \"tls-client\"\ndecision = \"ask\"\n").status().message()),
      HasSubstr("does not wait for a person"));
  EXPECT_THAT(
      std::string(
          Read("[[rule]]\norigin = \"https://a\"\npurpose = \"oracle\"\ndecision = \"allow\"\n")
              .status()
              .message()),
      HasSubstr("unknown purpose \"oracle\""));
}

TEST(PurposeTest, AddedRulesKeepTheirPurpose) {
  std::vector<Rule> rules = *Read("[[rule]]\npurpose = \"tls-client\"\ndecision = \"allow\"\n");
  const std::vector<Rule> both =
      WithRule(rules, Read("[[rule]]\npurpose = \"csr\"\ndecision = \"allow\"\n")->front());
  EXPECT_EQ(both.size(), 2);
}

}  // namespace
}  // namespace signet::agent
