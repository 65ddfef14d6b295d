#include "agent/policy/matching.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "agent/policy/policy.h"
#include "agent/policy/rule_keys.h"
#include "agent/policy/toml_reader.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_ca.h"

namespace signet::agent {
namespace {

using ::testing::HasSubstr;

// Rules as people write them, without origin.
std::vector<Rule> Rules(const std::vector<std::string>& texts) {
  std::string file;
  for (const std::string& text : texts) {
    file += "[[rule]]\norigin = \"https://*:*\"\n" + text + "\n";
  }
  const absl::StatusOr<toml::table> root = ParseToml("test.toml", file);
  EXPECT_TRUE(root.ok()) << root.status();
  const absl::StatusOr<std::vector<Rule>> rules = ReadRules("test.toml", *root);
  EXPECT_TRUE(rules.ok()) << rules.status();
  return rules.ok() ? *rules : std::vector<Rule>{};
}

// "allow", "deny", "ask", "ask 8h", ...
std::string Decided(const std::vector<std::string>& texts, const Caller& caller,
                    const IdentityFacts& identity, AgentKind agent = AgentKind::kUser) {
  const Policy policy({}, Rules(texts), {}, agent);
  const Decision decision = policy.Decide(caller, *ParseOrigin("https://a.example"), identity);
  std::string text(Name(decision.verdict));
  for (const RuleKey& key : RuleKeys()) {
    if (key.name != std::string("once_per") || decision.rule == nullptr) continue;
    if (const std::string once = key.get(*decision.rule); !once.empty()) text += " " + once;
  }
  return text;
}

Caller OnSystemd() {
  Caller caller;
  caller.unit = "session-3.scope";
  return caller;
}

std::shared_ptr<const ChainFacts> Certificate(const std::string& extended_key_usage) {
  const test::TestCa root = test::TestCa::Root("Signet Root");
  const test::TestCa ca = root.Intermediate("Example CA");
  const test::TestKey key = test::TestKey::Generate(test::TestKeyType::kP256);
  test::CertificateOptions options;
  options.extended_key_usage = extended_key_usage;
  const auto facts = ReadChainFacts({ca.Issue(key.public_key(), options)});
  EXPECT_TRUE(facts.ok()) << facts.status();
  return facts.ok() ? *facts : nullptr;
}

TEST(Matching, UnitsSessionsAndSandboxesOfTheCaller) {
  Caller backup = OnSystemd();
  backup.unit = "backup@nightly.service";
  Caller firefox = OnSystemd();
  firefox.unit = "user@1000.service";
  firefox.user_unit = "app-firefox-42.scope";
  firefox.sandbox = "flatpak:org.mozilla.firefox";
  Caller local = OnSystemd(), ssh = OnSystemd(), other_session = OnSystemd();
  local.login_session = {"3", LoginSession::Type::kLocal};
  ssh.login_session = {"4", LoginSession::Type::kSsh};
  other_session.login_session = {"5", LoginSession::Type::kNone};
  Caller mystery = OnSystemd();
  mystery.sandbox = "unknown";
  const Caller without_systemd;
  const struct {
    const char* condition;
    const Caller& caller;
    Match match;
  } cases[] = {
      {"unit = \"backup@nightly.service\"", backup, Match::kYes},
      {"unit = \"backup@*.service\"", backup, Match::kYes},
      {"unit = \"*.timer\"", backup, Match::kNo},
      {"unit = \"*\"", without_systemd, Match::kUnknown},
      {"user_unit = \"app-firefox-*.scope\"", firefox, Match::kYes},
      {"user_unit = \"app-evil-*\"", firefox, Match::kNo},
      {"user_unit = \"*\"", backup, Match::kNo},
      {"user_unit = \"*\"", without_systemd, Match::kUnknown},
      {"unit = \"app-firefox-42.scope\"", firefox, Match::kNo},
      {"session = \"local\"", local, Match::kYes},
      {"session = \"ssh\"", local, Match::kNo},
      {"session = \"ssh\"", ssh, Match::kYes},
      {"session = \"none\"", ssh, Match::kNo},
      {"session = \"none\"", backup, Match::kYes},
      {"session = \"ssh\"", backup, Match::kNo},
      {"session = \"none\"", other_session, Match::kUnknown},
      {"session = \"ssh\"", other_session, Match::kUnknown},
      {"session = \"none\"", without_systemd, Match::kUnknown},
      {"session = \"ssh\"", without_systemd, Match::kUnknown},
      {"sandbox = \"flatpak:org.mozilla.*\"", firefox, Match::kYes},
      {"sandbox = \"snap:*\"", firefox, Match::kNo},
      {"sandbox = \"*\"", backup, Match::kNo},
      {"sandbox = \"flatpak:org.mozilla.*\"", mystery, Match::kUnknown},
      {"sandbox = \"unknown\"", mystery, Match::kUnknown},
      {"program = \"/usr/bin/curl\"", without_systemd, Match::kUnknown},
      {"agent = \"user\"", without_systemd, Match::kYes},
      {"agent = \"system\"", without_systemd, Match::kNo},
      {"unit = \"*\"\nagent = \"system\"", without_systemd, Match::kNo},
  };
  for (const auto& c : cases) {
    const std::string condition = std::string(c.condition) + "\ndecision = ";
    const std::vector<Rule> rules = Rules({condition + "\"deny\""});
    ASSERT_EQ(rules.size(), 1u);
    EXPECT_EQ(MatchesCaller(rules[0], Asking(c.caller, AgentKind::kUser)), c.match) << c.condition;
    // What is unknown loosens nothing, and tightens whatever it can.
    const std::string allow = condition + "\"allow\"", deny = condition + "\"deny\"";
    EXPECT_EQ(Decided({allow}, c.caller, {"a"}), c.match == Match::kYes ? "allow" : "deny")
        << c.condition;
    EXPECT_EQ(Decided({"decision = \"allow\"", deny}, c.caller, {"a"}),
              c.match == Match::kNo ? "allow" : "deny")
        << c.condition;
  }
}

TEST(Matching, KindIssuerAndUsageOfTheIdentity) {
  const auto client = Certificate("clientAuth,emailProtection");
  const auto any = Certificate("");
  ASSERT_TRUE(client != nullptr && any != nullptr);
  const IdentityFacts alice{"alice", IdentityKind::kUser, client.get()};
  const IdentityFacts laptop{"laptop", IdentityKind::kDevice, any.get()};
  const IdentityFacts bare{"bare", IdentityKind::kUser, nullptr};
  const IdentityFacts ghost{"ghost", {}, nullptr};
  const struct {
    std::string condition;
    const IdentityFacts& identity;
    Match match;
  } cases[] = {
      {"kind = \"user\"", alice, Match::kYes},
      {"kind = \"device\"", alice, Match::kNo},
      {"kind = \"device\"", laptop, Match::kYes},
      {"kind = \"device\"", ghost, Match::kUnknown},
      {"issuer = \"Example CA\"", alice, Match::kYes},
      {"issuer = \"" + client->summary.issuer + "\"", alice, Match::kYes},
      {"issuer = \"Signet Root\"", alice, Match::kNo},
      {"issuer = \"example ca\"", alice, Match::kNo},
      {"issuer = \"Example CA\"", bare, Match::kUnknown},
      {"extended_key_usage = \"clientAuth\"", alice, Match::kYes},
      {"extended_key_usage = \"1.3.6.1.5.5.7.3.4\"", alice, Match::kYes},
      {"extended_key_usage = \"1.3.6.1.4.1.311.20.2.2\"", alice, Match::kNo},
      {"extended_key_usage = \"clientAuth\"", laptop, Match::kUnknown},
      {"extended_key_usage = \"clientAuth\"", bare, Match::kUnknown},
      {"identity = \"alice\"\nissuer = \"Example CA\"", bare, Match::kNo},
  };
  for (const auto& c : cases) {
    const std::string condition = c.condition + "\ndecision = ";
    const std::vector<Rule> rules = Rules({condition + "\"deny\""});
    ASSERT_EQ(rules.size(), 1u);
    EXPECT_EQ(MatchesIdentity(rules[0], c.identity), c.match) << c.condition;
    EXPECT_EQ(Decided({condition + "\"allow\""}, {}, c.identity),
              c.match == Match::kYes ? "allow" : "deny")
        << c.condition;
    EXPECT_EQ(Decided({"decision = \"allow\"", condition + "\"deny\""}, {}, c.identity),
              c.match == Match::kNo ? "allow" : "deny")
        << c.condition;
  }
}

TEST(Matching, AnUnknownFactTakesTheStricterOfBoth) {
  const std::string unknown = "program = \"/usr/bin/curl\"\n";
  const std::string allow = "decision = \"allow\"", deny = "decision = \"deny\"",
                    ask = "decision = \"ask\"", per_day = ask + "\nonce_per = \"24h\"";
  const Caller caller;
  EXPECT_EQ(Decided({allow, unknown + ask}, caller, {"a"}), "ask");
  EXPECT_EQ(Decided({deny, unknown + ask}, caller, {"a"}), "deny");
  EXPECT_EQ(Decided({ask, unknown + per_day}, caller, {"a"}), "ask");
  EXPECT_EQ(Decided({per_day, unknown + ask}, caller, {"a"}), "ask");
  EXPECT_EQ(Decided({unknown + ask}, caller, {"a"}), "deny");
  EXPECT_EQ(Decided({allow, unknown + deny, allow}, caller, {"a"}), "allow") << "a later rule wins";
}

TEST(Matching, NothingLoosensAFinalRule) {
  const std::string allow = "decision = \"allow\"", deny = "decision = \"deny\"",
                    ask = "decision = \"ask\"", final = "\nfinal = true";
  const std::string alice = "identity = \"alice\"\n";
  const std::string per_hour = ask + "\nonce_per = \"1h\"", per_day = ask + "\nonce_per = \"24h\"";
  const struct {
    std::vector<std::string> rules;
    const char* decision;
  } cases[] = {
      {{deny + final, allow}, "deny"},
      {{deny + final, ask}, "deny"},
      {{deny + final, alice + allow}, "deny"},
      {{alice + deny + final, allow}, "deny"},
      {{"identity = \"bob\"\n" + deny + final, allow}, "allow"},
      {{ask + final, allow}, "ask"},
      {{ask + final, deny}, "deny"},
      {{ask + final, deny, allow}, "ask"},
      {{ask + final, alice + allow}, "ask"},
      {{deny, ask + final}, "ask"},
      {{per_hour + final, per_day}, "ask 1h"},
      {{per_day + final, per_hour}, "ask 1h"},
      {{per_day + final, ask + "\nonce_per = \"session\""}, "ask session"},
      {{ask + "\nonce_per = \"connection\"" + final, ask + "\nonce_per = \"session\""},
       "ask connection"},
      {{ask + final, deny + final, allow}, "deny"},
      {{deny + final, ask + final, allow}, "deny"},
      {{"program = \"/usr/bin/curl\"\n" + deny + final, allow}, "deny"},  // unknown
      {{"unit = \"x.service\"\n" + deny + final, allow}, "allow"},
  };
  for (const auto& c : cases) {
    std::string all;
    for (const std::string& rule : c.rules) all += rule + "\n--\n";
    EXPECT_EQ(Decided(c.rules, OnSystemd(), {"alice"}), c.decision) << all;
  }
}

TEST(Matching, AFinalDenyIsListedAsLittleAsALaterOne) {
  const auto lists = [](const std::vector<std::string>& rules) {
    return Policy({}, Rules(rules), {}).Lists({}, {"alice"});
  };
  const std::string deny = "decision = \"deny\"\nfinal = true", allow = "decision = \"allow\"";
  EXPECT_TRUE(lists({allow}));
  EXPECT_FALSE(lists({deny, allow}));
  EXPECT_FALSE(lists({"program = \"/usr/bin/curl\"\n" + deny, allow})) << "unknown";
  EXPECT_FALSE(lists({"program = \"/usr/bin/curl\"\n" + allow})) << "unknown";
  EXPECT_TRUE(lists({"identity = \"bob\"\n" + deny, allow}));
}

TEST(Matching, AFinalDenyOffersNoCommandThatCouldNotHelp) {
  const Policy policy({}, Rules({"decision = \"deny\"\nfinal = true"}), {});
  const std::string reason = policy.Decide({}, *ParseOrigin("https://a.example"), {"a"}).reason;
  EXPECT_THAT(reason, HasSubstr("test.toml:1 denies"));
  EXPECT_THAT(reason, HasSubstr("final"));
  EXPECT_THAT(reason, ::testing::Not(HasSubstr("signet policy allow")));
}

TEST(Matching, SaysWhichConditionFails) {
  const auto certificate = Certificate("clientAuth");
  const IdentityFacts alice{"alice", IdentityKind::kUser, certificate.get()};
  const Caller caller = OnSystemd();
  const Asking asking(caller, AgentKind::kUser);
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},
      {"identity = \"bob\"", "identity is not bob"},
      {"kind = \"device\"", "kind is not device"},
      {"issuer = \"Other\"", "issuer is not Other"},
      {"extended_key_usage = \"codeSigning\"", "extended_key_usage is not codeSigning"},
      {"unit = \"x.service\"", "unit is not x.service"},
      {"session = \"ssh\"", "session is not ssh"},
      {"agent = \"system\"", "agent is not system"},
      {"program = \"/bin/x\"", "program is not known"},
      {"program = \"/bin/x\"\nkind = \"device\"", "kind is not device"},
  };
  for (const auto& [condition, why] : cases) {
    const std::vector<Rule> rules = Rules({std::string(condition) + "\ndecision = \"deny\""});
    ASSERT_EQ(rules.size(), 1u);
    EXPECT_EQ(WhyNot(rules[0], asking, *ParseOrigin("https://a.example"), alice), why);
  }
  Rule elsewhere = Rules({"decision = \"deny\""})[0];
  elsewhere.origin = *OriginPattern::Parse("https://b.example");
  EXPECT_EQ(WhyNot(elsewhere, asking, *ParseOrigin("https://a.example"), alice),
            "origin is not https://b.example:443");
}

TEST(RuleKeys, WhatIsReadIsWrittenBack) {
  const test::TemporaryFolder folder;
  std::vector<Rule> rules = Rules(
      {"identity = \"alice\"\nkind = \"user\"\nissuer = \"CN=A \\\"CA\\\"\"\n"
       "extended_key_usage = \"clientAuth\"\nprogram = \"/usr/bin/curl\"\nunit = \"a*.service\"\n"
       "user_unit = \"b\"\nsession = \"local\"\nsandbox = \"snap:x\"\nagent = \"user\"\n"
       "decision = \"ask\"\nonce_per = \"8h\"\nfinal = true",
       "decision = \"ask\"\nonce_per = \"session\"", "decision = \"deny\"\npurpose = \"csr\"",
       "decision = \"deny\"\nfinal = false"});
  ASSERT_TRUE(SaveAddedRules(folder.path(), rules).ok());
  const absl::StatusOr<std::vector<Rule>> loaded = LoadAddedRules(folder.path());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  ASSERT_EQ(loaded->size(), rules.size());
  for (size_t i = 0; i < rules.size(); ++i) {
    for (const RuleKey& key : RuleKeys()) {
      EXPECT_EQ(key.get((*loaded)[i]), key.get(rules[i])) << key.name;
      EXPECT_TRUE(i > 0 || key.name == std::string_view("purpose") || !key.get(rules[i]).empty())
          << key.name;
    }
    EXPECT_EQ((*loaded)[i].final, rules[i].final);
    EXPECT_TRUE(SameConditions((*loaded)[i], rules[i]));
  }
}

TEST(RuleKeys, RefuseWhatTheyDoNotUnderstand) {
  const std::pair<const char*, const char*> cases[] = {
      {"decision = \"Deny\"", "4:12: unknown decision \"Deny\"; write one of \"allow\", \"deny\""},
      {"decision = \"deny\"\nkind = \"person\"", "5:8: unknown kind \"person\"; write one of"},
      {"decision = \"deny\"\nsession = \"remote\"", "5:11: unknown session \"remote\""},
      {"decision = \"deny\"\nagent = \"any\"", "5:9: unknown agent \"any\""},
      {"decision = \"deny\"\nextended_key_usage = \"clientauth\"", "5:22: unknown extended key"},
      {"decision = \"deny\"\nprogram = \"curl\"", "5:11: program \"curl\" is not an absolute path"},
      {"decision = \"deny\"\nfinal = \"yes\"", "5:9: final is neither true nor false"},
      {"decision = \"allow\"\nfinal = true", "5:9: final keeps others from loosening"},
      {"decision = \"ask\"\ntrusted_origin = true", "5:18: trusted_origin believes a program"},
      {"decision = \"deny\"\nprogram = \"/a\"\ntrusted_origin = true", "6:18: trusted_origin"},
      {"decision = \"ask\"\ntrusted_origin = 1", "5:18: trusted_origin is neither true nor"},
      {"decision = \"deny\"\nonce_per = \"8h\"", "5:12: once_per goes with decision = \"ask\""},
      {"decision = \"ask\"\nonce_per = \"8\"", "5:12: once_per \"8\" is neither"},
      {"decision = \"ask\"\nonce_per = \"0h\"", "5:12: once_per \"0h\" is neither"},
      {"decision = \"ask\"\nonce_per = \"-1h\"", "5:12: once_per \"-1h\" is neither"},
      {"decision = \"ask\"\nonce_per = \"721h\"", "5:12: once_per \"721h\" is neither"},
      {"decision = \"ask\"\nonce_per = \" 1h\"", "5:12: once_per \" 1h\" is neither"},
      {"decision = \"ask\"\nonce_per = 8", "5:12: once_per is not a text"},
      {"decision = \"deny\"\nfinaly = true", "5:1: unknown key \"finaly\" in [[rule]]"},
      {"final = true", "1:1: [[rule]] has no decision"},
  };
  for (const auto& [text, complaint] : cases) {
    const std::string file =
        "[[rule]]\norigin = \"https://a.example\"\nidentity = \"*\"\n" + std::string(text) + "\n";
    const absl::StatusOr<toml::table> root = ParseToml("t.toml", file);
    ASSERT_TRUE(root.ok()) << file;
    const absl::Status status = ReadRules("t.toml", *root).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << file;
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string("t.toml:") + complaint));
  }
}

}  // namespace
}  // namespace signet::agent
