// When a person is needed, which identities are offered, and what becomes of the choice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "agent/authentication/authentication_fixture.h"

namespace signet::agent {
namespace {

using Kind = Answer::Kind;

class Prompts : public AuthenticationTest {
 protected:
  void Lock(const Identity& identity) { tokens_.locked.insert(identity.key.reference); }
};

TEST_F(Prompts, OfferAllThatFitAndGiveTheOneChosen) {
  AddIdentity("alice");
  AddIdentity("bob");
  AddIdentity("carol");
  AddIdentity("denied");
  Rules({{Verdict::kAsk, "*"}, {Verdict::kAsk, "bob"}, {Verdict::kDeny, "denied"}});
  prompter_.answer = Answer::Chosen(2);
  EXPECT_EQ(GivenBy(Authenticate()), "carol");
  EXPECT_EQ(prompter_.about, "bob alice carol at https://host.example:8443");
  EXPECT_EQ(prompter_.asked, 1);
  EXPECT_EQ(audit_.records.back().identity, "carol");
}

TEST_F(Prompts, OfferOnlyWhatTheConnectionMayStillHave) {
  AddIdentity("alice");
  AddIdentity("bob");
  AddIdentity("carol");
  Rules({{Verdict::kAsk, "*"}, {Verdict::kAsk, "carol"}});
  prompter_.answer = Answer::Chosen(1);
  EXPECT_EQ(GivenBy(Authenticate()), "alice");
  prompter_.answer = Answer::Chosen(0);
  EXPECT_EQ(GivenBy(Authenticate()), "carol") << "bob is not named, and may not follow alice";
  EXPECT_EQ(prompter_.about, "carol at https://host.example:8443");
  ExpectDeclined(Authenticate(), DeclineReason::kLimit);
  EXPECT_EQ(prompter_.asked, 2);
}

TEST_F(Prompts, WhatAnotherRequestGotMeanwhileIsNotGivenTwice) {
  AddIdentity("alice");
  Rules({{Verdict::kAsk, "alice"}});
  bool again = true;
  prompter_.meanwhile = [&] {
    if (!std::exchange(again, false)) return;
    EXPECT_EQ(GivenBy(Authenticate()), "alice");
  };
  ExpectDeclined(Authenticate(), DeclineReason::kLimit, {"already given"});
  EXPECT_EQ(tokens_.signatures, 1u);
}

TEST_F(Prompts, ALockedTokenTakesAPersonUnderAnAllowRule) {
  const Identity alice = AddIdentity("alice");
  Lock(alice);
  Rules({{Verdict::kAllow, "alice"}});
  prompter_.meanwhile = [this] { tokens_.locked.clear(); };
  EXPECT_EQ(GivenBy(Authenticate()), "alice");
  EXPECT_EQ(prompter_.about, "alice without asking by PIN at https://host.example:8443");
  EXPECT_EQ(prompter_.settled_by_now, 0u) << "unlocked, and no rule asks";
}

TEST_F(Prompts, NobodyIsAskedWhereAnotherTokenIsOpen) {
  Lock(AddIdentity("alice"));
  AddIdentity("bob");
  Rules({{Verdict::kAllow, "*"}});
  EXPECT_EQ(GivenBy(Authenticate()), "bob");
  EXPECT_EQ(prompter_.asked, 0);
}

TEST_F(Prompts, AnUnlockedTokenDoesNotSettleWhatARuleAsks) {
  Lock(AddIdentity("alice"));
  Rules({{Verdict::kAsk, "alice"}});
  prompter_.meanwhile = [this] { tokens_.locked.clear(); };
  EXPECT_EQ(GivenBy(Authenticate()), "alice");
  EXPECT_EQ(prompter_.settled_by_now, std::nullopt);
}

TEST_F(Prompts, WithNobodyToAskALockedTokenSaysHowToUnlockIt) {
  Lock(AddIdentity("alice"));
  Rules({{Verdict::kAllow, "alice"}});
  prompter_.answer = Answer::Not(Kind::kNobody, "no display");
  ExpectDeclined(Authenticate(), DeclineReason::kTokenLocked, {"signet token unlock"});
}

TEST_F(Prompts, WithNobodyToAskARuleThatAsksDeclines) {
  AddIdentity("alice");
  Rules({{Verdict::kAsk, "alice"}});
  prompter_.answer = Answer::Not(Kind::kNobody, "no display");
  ExpectDeclined(Authenticate(), DeclineReason::kConsent,
                 {"nobody can be asked: no display",
                  "signet policy allow https://host.example:8443 --identity alice"});
}

TEST_F(Prompts, ADeclineSaysWhy) {
  AddIdentity("alice");
  Rules({{Verdict::kAsk, "alice"}});
  prompter_.answer = Answer::Not(Kind::kTooLate, "nobody answered");
  ExpectDeclined(Authenticate(), DeclineReason::kDeadline, {"nobody answered"});
  prompter_.answer = Answer::Not(Kind::kTooMany, "refused just now");
  ExpectDeclined(Authenticate(), DeclineReason::kLimit, {"refused just now"});
  EXPECT_EQ(tokens_.signatures, 0u);
}

TEST_F(Prompts, AnOriginIsTheProgramsClaimUnlessARuleTrustsThatProgram) {
  AddIdentity("alice");
  AddIdentity("bob");
  const Rule claim{*OriginPattern::Parse("https://*:*"), "*", "", Verdict::kAsk, "test.toml"};
  Rule trusting = claim;
  trusting.program = "/bin/sh";
  trusting.trusted_origin = true;
  Rule of_bob = claim;
  of_bob.identity = "bob";

  struct stat shell {};
  ASSERT_EQ(stat("/bin/sh", &shell), 0);
  AuthenticationCall call = MakeCall();
  const auto trusted = [&](std::vector<Rule> rules) {
    policy_.ReplaceAdded(std::move(rules));
    ++call.handshake_context[0];
    EXPECT_TRUE(std::holds_alternative<Authenticated>(Authenticate(call)));
    return prompter_.origin_trusted;
  };
  Rule allow = claim;
  allow.decision = Verdict::kAllow;
  EXPECT_FALSE(trusted({allow, trusting})) << "which program it is can't be told";
  call.caller.executable = Executable{shell.st_dev, shell.st_ino, "/bin/sh"};
  EXPECT_TRUE(trusted({trusting}));
  EXPECT_FALSE(trusted({claim}));
  EXPECT_FALSE(trusted({trusting, of_bob})) << "the rule for bob does not trust it";
}

// Its PIN was forgotten, and nobody knew until now.
TEST_F(Prompts, ATokenFoundLockedWhenItSignsIsUnlockedOnce) {
  AddIdentity("alice");
  Rules({{Verdict::kAllow, "alice"}});
  tokens_.sign_error = absl::FailedPreconditionError("the token is locked");
  prompter_.meanwhile = [this] { tokens_.sign_error = absl::OkStatus(); };
  EXPECT_EQ(GivenBy(Authenticate()), "alice");
  EXPECT_EQ(prompter_.about, "alice without asking by PIN at https://host.example:8443");
  EXPECT_EQ(tokens_.signatures, 2u);

  prompter_.meanwhile = [] {};
  tokens_.sign_error = absl::FailedPreconditionError("the token is locked");
  AuthenticationCall elsewhere = MakeCall();
  elsewhere.handshake_context[0] ^= 1;
  ExpectDeclined(Authenticate(elsewhere), DeclineReason::kTokenLocked);
  EXPECT_EQ(prompter_.asked, 2) << "once per request";
}

}  // namespace
}  // namespace signet::agent
