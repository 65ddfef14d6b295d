// What rules allow, deny and let a person decide.
#include <gtest/gtest.h>

#include <vector>

#include "agent/authentication/authentication_fixture.h"

namespace signet::agent {
namespace {

using std::chrono::hours;
using test::CertificateOptions;

TEST_F(AuthenticationTest, DeclinesWhenNoIdentityMatches) {
  Rules({{Verdict::kAllow, "*"}});
  ExpectDeclined(Authenticate(), DeclineReason::kNoIdentity, {"signet identity create"});
  AddIdentity("alice");
  now_ += hours(1000);
  ExpectDeclined(Authenticate(), DeclineReason::kNoIdentity, {"\"alice\"", "expired"});
}

TEST_F(AuthenticationTest, RulesSeeTheCertificate) {
  AddIdentity("alice");
  std::vector<Rule> rules(2);
  rules[0].origin = rules[1].origin = *OriginPattern::Parse("https://*:*");
  rules[0].identity = rules[1].identity = "*";
  rules[0].decision = Verdict::kAllow;
  rules[1].issuer = "Another CA";
  policy_.ReplaceAdded(rules);
  EXPECT_EQ(GivenBy(Authenticate()), "alice");
  rules[1].issuer = "CA";
  policy_.ReplaceAdded(rules);
  ExpectDeclined(Authenticate(), DeclineReason::kDenied);
}

TEST_F(AuthenticationTest, DeniesWithoutARuleNamingTheCommand) {
  AddIdentity("alice");
  ExpectDeclined(Authenticate(), DeclineReason::kDenied,
                 {"signet policy allow https://host.example:8443 --identity alice"});
  EXPECT_EQ(audit_.records.back().identity, "alice");
  EXPECT_EQ(audit_.records.back().rule, "");
  Rules({{Verdict::kAllow, "*"}, {Verdict::kDeny, "alice"}});
  ExpectDeclined(Authenticate(), DeclineReason::kDenied, {"test.toml denies"});
  EXPECT_EQ(audit_.records.back().rule, "test.toml");
  EXPECT_EQ(tokens_.signatures, 0u);
}

TEST_F(AuthenticationTest, SkipsADeniedCandidate) {
  CertificateOptions longest;
  longest.not_after = now_ + hours(100);
  AddIdentity("best", longest);
  AddIdentity("next");
  Rules({{Verdict::kAllow, "*"}, {Verdict::kDeny, "best"}});
  EXPECT_EQ(GivenBy(Authenticate()), "next");
}

TEST_F(AuthenticationTest, PrefersTheIdentityThatARuleNames) {
  CertificateOptions longest;
  longest.not_after = now_ + hours(100);
  AddIdentity("best", longest);
  AddIdentity("named");
  Rules({{Verdict::kAllow, "*"}, {Verdict::kAllow, "named"}});
  EXPECT_EQ(GivenBy(Authenticate()), "named");
}

TEST_F(AuthenticationTest, AsksNobodyWhereAnotherIdentityIsAllowed) {
  CertificateOptions longest;
  longest.not_after = now_ + hours(100);
  AddIdentity("best", longest);
  AddIdentity("allowed");
  Rules({{Verdict::kAsk, "*"}, {Verdict::kAllow, "allowed"}});
  EXPECT_EQ(GivenBy(Authenticate()), "allowed");
  EXPECT_EQ(prompter_.asked, 0);
}

TEST_F(AuthenticationTest, AsksAPersonWhenARuleSaysSo) {
  AddIdentity("alice");
  Rules({{Verdict::kAsk, "alice"}});
  prompter_.answer = Answer::Not(Answer::Kind::kLeft, "the person said no");
  ExpectDeclined(Authenticate(), DeclineReason::kConsent, {"the person said no"});
  EXPECT_EQ(tokens_.signatures, 0u);
  EXPECT_EQ(prompter_.about, "alice at https://host.example:8443");
  prompter_.answer = Answer::Chosen(0);
  EXPECT_EQ(GivenBy(Authenticate()), "alice");
  EXPECT_EQ(prompter_.asked, 2);
}

TEST_F(AuthenticationTest, AsksOncePerWhatTheRuleSays) {
  AddIdentity("alice");
  std::vector<Rule> rules(1);
  rules[0].origin = *OriginPattern::Parse("https://*:*");
  rules[0].identity = "*";
  rules[0].decision = Verdict::kAsk;
  rules[0].once_per = {OncePer::Scope::kHours, 1};
  policy_.ReplaceAdded(rules);
  AuthenticationCall call = MakeCall();
  call.caller.executable = Executable{1, 2, "/usr/bin/firefox"};
  const auto again = [&] {
    ++call.handshake_context[0];
    return GivenBy(Authenticate(call));
  };
  prompter_.answer = Answer::Not(Answer::Kind::kLeft, "no");
  again();
  again();
  EXPECT_EQ(prompter_.asked, 2) << "a no is not remembered";
  prompter_.answer = Answer::Chosen(0);
  EXPECT_EQ(again(), "alice");
  prompter_.answer = Answer::Not(Answer::Kind::kLeft, "must not be asked");
  EXPECT_EQ(again(), "alice");
  EXPECT_EQ(prompter_.asked, 3);
  const std::vector<RememberedAnswer> answers = authentication_.remembered().List(now_);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(authentication_.remembered().Forget(answers[0].id));
  EXPECT_NE(again(), "alice");
  EXPECT_EQ(prompter_.asked, 4);
  // A program that nobody knows is asked for each time.
  prompter_.answer = Answer::Chosen(0);
  call.caller.executable.reset();
  EXPECT_EQ(again(), "alice");
  EXPECT_EQ(again(), "alice");
  EXPECT_EQ(prompter_.asked, 6);
}

TEST_F(AuthenticationTest, APersonSeesWhereTheProgramComesFrom) {
  AddIdentity("alice");
  Rules({{Verdict::kAsk, "alice"}});
  EXPECT_EQ(GivenBy(Authenticate()), "alice");
  EXPECT_EQ(prompter_.shown, "unknown program (42) ← bash");
  EXPECT_EQ(audit_.records.back().caller->parents.size(), 1U);
}

}  // namespace
}  // namespace signet::agent
