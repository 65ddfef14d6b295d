#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/cli/cli_fixture.h"
#include "tests/support/temporary_folder.h"

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
  for (const std::string decision : {"allow", "ask", "deny"}) {
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

TEST_F(PolicyCommandsTest, ListsWhatElseARuleAsksAndSays) {
  AddRule("ask", "https://*:*", "*", "");
  v1::Rule& rule = *agent_.admin.rules.mutable_rules(0);
  rule.set_kind("user");
  rule.set_issuer("CN=A");
  rule.set_unit("x.service");
  rule.set_once_per("8h");
  rule.set_final(true);
  rule.set_trusted_origin(true);
  EXPECT_THAT(
      RunCommand({"policy", "list"}).out,
      HasSubstr("final ask once per 8h with trusted origin  https://*:*  * kind=user issuer=CN=A  "
                "any unit=x.service  /etc"));
  const nlohmann::json json = RunCommand({"policy", "list", "--json"}).json()["rules"][0];
  EXPECT_EQ(json["kind"], "user");
  EXPECT_EQ(json["unit"], "x.service");
  EXPECT_EQ(json["once_per"], "8h");
  EXPECT_EQ(json["final"], true);
  EXPECT_FALSE(json.contains("sandbox"));
}

TEST_F(PolicyCommandsTest, ExplainsEveryRuleWhenVerbose) {
  v1::Explanation& explanation = *agent_.admin.explained.add_explanations();
  explanation.set_decision("deny");
  explanation.set_reason("because");
  for (const char* why : {"origin is not https://b:443", "decides"}) {
    v1::ConsideredRule& considered = *explanation.add_considered();
    considered.mutable_rule()->set_origin("https://a:443");
    considered.mutable_rule()->set_decision("deny");
    considered.mutable_rule()->set_source("/f.toml");
    considered.mutable_rule()->set_line(3);
    considered.set_why(why);
    considered.set_decides(why == std::string("decides"));
  }
  const std::vector<std::string> line = {"policy", "explain",     "https://a", "--unit",
                                         "u",      "--user-unit", "v",         "--session",
                                         "ssh",    "--sandbox",   "snap:x"};
  EXPECT_EQ(RunCommand(line).out, "deny: because\n");
  EXPECT_FALSE(agent_.admin.explain_request.verbose());
  std::vector<std::string> verbose = line;
  verbose.push_back("--verbose");
  EXPECT_EQ(RunCommand(verbose).out,
            "deny: because\n"
            "  /f.toml:3: deny https://a:443: origin is not https://b:443\n"
            "* /f.toml:3: deny https://a:443: decides\n");
  const v1::ExplainRequest& request = agent_.admin.explain_request;
  EXPECT_TRUE(request.verbose());
  EXPECT_EQ(request.unit() + request.user_unit() + request.session() + request.sandbox(),
            "uvsshsnap:x");
  verbose.push_back("--json");
  const nlohmann::json json = RunCommand(verbose).json()["explanations"][0]["considered"];
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[1]["decides"], true);
  EXPECT_EQ(json[0]["why"], "origin is not https://b:443");
}

TEST_F(PolicyCommandsTest, ShowsAndForgetsWhatIsRemembered) {
  EXPECT_EQ(RunCommand({"policy", "remembered", "list"}).out, "nothing is remembered\n");
  v1::RememberedAnswer& answer = *agent_.admin.remembered.add_answers();
  answer.set_id(7);
  answer.set_uid(1000);
  answer.set_program("/usr/bin/firefox");
  answer.set_origin("https://a:443");
  answer.set_identity("alice");
  answer.set_once_per("8h");
  answer.set_given("2026-01-01T00:00:00Z");
  EXPECT_THAT(RunCommand({"policy", "remembered", "list"}).out,
              HasSubstr("7   https://a:443  alice     /usr/bin/firefox  1000  8h"));
  const nlohmann::json json = RunCommand({"policy", "remembered", "list", "--json"}).json();
  EXPECT_EQ(json["answers"][0]["id"], 7);
  EXPECT_EQ(RunCommand({"policy", "remembered", "forget", "7"}).out, "forgotten: 7\n");
  EXPECT_EQ(agent_.admin.forget_request.id(), 7u);
  agent_.admin.failure = {grpc::StatusCode::NOT_FOUND, "no such answer"};
  EXPECT_EQ(RunCommand({"policy", "remembered", "forget", "8"}).exit_code, 5);
  EXPECT_EQ(RunCommand({"policy", "remembered", "forget", "x"}).exit_code, 2);
}

TEST_F(PolicyCommandsTest, ChecksAFileWithoutAnAgent) {
  const test::TemporaryFolder folder;
  const std::string file =
      folder.Write("signet.toml", "[[rule]]\norigin = \"https://a\"\ndecision = \"deny\"\n")
          .native();
  const std::vector<std::string> check = {"policy", "check", file};
  const Outcome good = RunCommand(check);
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_EQ(good.out, "understood: 1 file, 1 rule\n");
  folder.Write("signet.toml", "[[rule]]\norigin = \"https://a\"\ndecision = \"dent\"\n");
  const Outcome bad = RunCommand(check);
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_EQ(bad.out, "");
  EXPECT_THAT(bad.err, HasSubstr(file + ":3:12: unknown decision \"dent\""));
  std::vector<std::string> with_json = check;
  with_json.push_back("--json");
  const Outcome json = RunCommand(with_json);
  EXPECT_EQ(agent_.admin.calls, 0);
  EXPECT_EQ(json.exit_code, 1);
  ASSERT_EQ(json.json()["problems"].size(), 1u);
  EXPECT_EQ(json.json()["problems"][0]["file"], file);
  EXPECT_EQ(json.json()["problems"][0]["line"], 3);
  EXPECT_EQ(json.json()["problems"][0]["column"], 12);
}

}  // namespace
}  // namespace signet::cli
