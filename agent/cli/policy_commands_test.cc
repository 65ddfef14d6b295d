#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/cli/cli_fixture.h"

namespace signet::cli {
namespace {

using ::testing::HasSubstr;

class PolicyCommandsTest : public CliTest {
 protected:
  void AddRule(const char* decision, const char* origin, const char* identity,
               const char* program) {
    v1::Rule& rule = *agent_.admin.rules.add_rules();
    rule.set_decision(decision);
    rule.set_origin(origin);
    rule.set_identity(identity);
    rule.set_program(program);
    rule.set_source("/etc/signet/signet.toml");
    rule.set_line(7);
  }
};

TEST_F(PolicyCommandsTest, ListsTheRulesInOrder) {
  AddRule("deny", "https://*:*", "*", "");
  AddRule("allow", "https://a.example:443", "laptop", "/usr/bin/curl");
  const Outcome run = RunCommand({"policy", "list"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.out,
            "DECISION  ORIGIN                 IDENTITY  PROGRAM        FROM\n"
            "deny      https://*:*            *         any            /etc/signet/signet.toml:7\n"
            "allow     https://a.example:443  laptop    /usr/bin/curl  /etc/signet/signet.toml:7\n"
            "A later rule wins; what no rule allows is denied.\n");
  const nlohmann::json rules = RunCommand({"policy", "list", "--json"}).json()["rules"];
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[1], (nlohmann::json{{"decision", "allow"},
                                      {"origin", "https://a.example:443"},
                                      {"identity", "laptop"},
                                      {"program", "/usr/bin/curl"},
                                      {"source", "/etc/signet/signet.toml"},
                                      {"line", 7}}));
}

TEST_F(PolicyCommandsTest, AnEmptyListSaysThatAllIsDenied) {
  EXPECT_THAT(RunCommand({"policy", "list"}).out, HasSubstr("everything is denied"));
  EXPECT_EQ(RunCommand({"policy", "list", "--json"}).json(),
            (nlohmann::json{{"rules", nlohmann::json::array()}}));
}

TEST_F(PolicyCommandsTest, ExplainsWhatDecides) {
  v1::ExplainResponse& explained = agent_.admin.explained;
  explained.set_origin("https://a.example:443");
  v1::Explanation& denied = *explained.add_explanations();
  denied.set_identity("alice");
  denied.set_decision("deny");
  denied.set_reason("no rule allows it");
  v1::Explanation& allowed = *explained.add_explanations();
  allowed.set_identity("laptop");
  allowed.set_decision("allow");
  allowed.set_reason("the rule for https://*:* in signet.toml:3 allows it");
  allowed.mutable_rule()->set_line(3);

  const Outcome run = RunCommand({"policy", "explain", "https://a.example", "--identity", "laptop",
                                  "--program", "/usr/bin/curl"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out,
            "deny: no rule allows it\n"
            "allow: the rule for https://*:* in signet.toml:3 allows it\n");
  EXPECT_EQ(agent_.admin.explain_request.origin(), "https://a.example");
  EXPECT_EQ(agent_.admin.explain_request.identity(), "laptop");
  EXPECT_EQ(agent_.admin.explain_request.program(), "/usr/bin/curl");
  const nlohmann::json json =
      RunCommand({"policy", "explain", "https://a.example", "--json"}).json();
  EXPECT_EQ(json["origin"], "https://a.example:443");
  EXPECT_TRUE(json["explanations"][0]["rule"].is_null());
  EXPECT_EQ(json["explanations"][1]["rule"]["line"], 3);
}

TEST_F(PolicyCommandsTest, AddsARule) {
  for (const std::string decision : {"allow", "deny"}) {
    const Outcome run = RunCommand({"policy", decision, "https://a.example", "--identity", "laptop",
                                    "--program", "/usr/bin/curl"});
    EXPECT_EQ(run.exit_code, 0) << run.err;
    EXPECT_EQ(run.out, decision + ": identity laptop at https://a.example for /usr/bin/curl\n");
    const v1::Rule& rule = agent_.admin.rule_request.rule();
    EXPECT_EQ(rule.decision(), decision);
    EXPECT_EQ(rule.origin(), "https://a.example");
    EXPECT_EQ(rule.identity(), "laptop");
    EXPECT_EQ(rule.program(), "/usr/bin/curl");
  }
}

TEST_F(PolicyCommandsTest, ARuleWithoutProgramIsForAnyProgram) {
  const Outcome run =
      RunCommand({"policy", "allow", "https://*.a.example:*", "--identity", "*", "--json"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.json()["rule"]["decision"], "allow");
  EXPECT_EQ(run.json()["note"], "");
  EXPECT_EQ(run.json()["rule"]["program"], "");
  EXPECT_EQ(agent_.admin.rule_request.rule().identity(), "*");
}

TEST_F(PolicyCommandsTest, PassesOnWhyARuleIsRefused) {
  agent_.admin.failure = {grpc::StatusCode::NOT_FOUND, "rule: identity: no such; there are: a"};
  const Outcome run = RunCommand({"policy", "allow", "https://a.example", "--identity", "b"});
  EXPECT_EQ(run.exit_code, 5);
  EXPECT_EQ(run.err, "signet: rule: identity: no such; there are: a\n");
}

}  // namespace
}  // namespace signet::cli
