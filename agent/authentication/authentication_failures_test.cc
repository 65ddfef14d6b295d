#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <exception>
#include <string>
#include <vector>

#include "agent/authentication/authentication.h"
#include "agent/authentication/authentication_fixture.h"

namespace signet::agent {
namespace {

using std::chrono::steady_clock;
using test::TestKeyType;

TEST_F(AuthenticationTest, SaysWhatTheTokenSaidAndWhatToDo) {
  struct Case {
    absl::Status status;
    DeclineReason reason;
    std::string next_step;
  };
  const std::vector<Case> cases = {
      {absl::FailedPreconditionError("card: sign: locked; run: signet token unlock card"),
       DeclineReason::kTokenLocked, ""},
      {absl::DeadlineExceededError("card: sign: too slow"), DeclineReason::kDeadline, ""},
      {absl::UnavailableError("card: sign: removed"), DeclineReason::kTokenFailed, "signet status"},
      {absl::NotFoundError("card: sign: no key"), DeclineReason::kTokenFailed, "signet status"},
      {absl::ResourceExhaustedError("card: sign: blocked"), DeclineReason::kTokenFailed,
       "signet status"},
      {absl::PermissionDeniedError("card: sign: wrong PIN"), DeclineReason::kTokenFailed,
       "signet status"},
      {absl::InternalError("card: sign: bug"), DeclineReason::kTokenFailed, "signet status"}};
  AddIdentity("alice");
  Rules({{Verdict::kAllow, "alice"}});
  for (const Case& c : cases) {
    tokens_.sign_error = c.status;
    ExpectDeclined(Authenticate(), c.reason,
                   {"\"alice\"", std::string(c.status.message()), c.next_step});
  }
  // Nothing of it counts as given.
  tokens_.sign_error = absl::OkStatus();
  EXPECT_EQ(GivenBy(Authenticate()), "alice");
}

TEST_F(AuthenticationTest, NeverLetsAWrongSignatureOut) {
  AddIdentity("alice");
  AddIdentity("ed", {}, TestKeyType::kEd25519);
  tokens_.sign_wrongly = true;
  for (const std::string name : {"alice", "ed"}) {
    Rules({{Verdict::kAllow, name}});
    ExpectDeclined(Authenticate(), DeclineReason::kTokenFailed, {"wrong signature"});
  }
  EXPECT_EQ(tokens_.signatures, 2u);
}

TEST_F(AuthenticationTest, NeverLetsAnotherKeysSignatureOut) {
  Identity alice = tokens_.NewIdentity("alice", IdentityKind::kUser);
  alice.chain = {ca_.Issue(alice.public_key)};
  alice.key = tokens_.Add(test::TestKey::Generate(TestKeyType::kP256));
  ASSERT_TRUE(identities_.Add(alice).ok());
  Rules({{Verdict::kAllow, "alice"}});
  ExpectDeclined(Authenticate(), DeclineReason::kTokenFailed, {"wrong signature"});
}

TEST_F(AuthenticationTest, StartsNothingAfterTheDeadline) {
  AddIdentity("alice");
  Rules({{Verdict::kAllow, "alice"}});
  AuthenticationCall late = MakeCall();
  late.deadline = steady_clock::now() - std::chrono::seconds(1);
  ExpectDeclined(Authenticate(late), DeclineReason::kDeadline);
  EXPECT_EQ(tokens_.signatures, 0u);
}

TEST_F(AuthenticationTest, GivesNothingThatMustBeRecordedAndCanNot) {
  AddIdentity("alice");
  Rules({{Verdict::kAllow, "alice"}});
  audit_.recording = absl::UnavailableError("the disk is full; make room");
  ExpectDeclined(Authenticate(), DeclineReason::kDenied, {"the disk is full; make room"});
  EXPECT_EQ(tokens_.signatures, 0u);
  audit_.recording = absl::OkStatus();
  EXPECT_EQ(GivenBy(Authenticate()), "alice");
}

TEST_F(AuthenticationTest, ACancelledSignatureGivesTheIdentityBack) {
  AddIdentity("alice");
  Rules({{Verdict::kAllow, "alice"}});
  tokens_.hang = true;
  EXPECT_NE(Cancel(MakeCall()), nullptr);
  ASSERT_EQ(audit_.records.size(), 1u);
  EXPECT_EQ(audit_.records[0].outcome, "cancelled");
  EXPECT_EQ(audit_.records[0].identity, "alice");
  tokens_.hang = false;
  EXPECT_EQ(GivenBy(Authenticate()), "alice");
}

TEST_F(AuthenticationTest, ACancelledPromptGivesTheIdentityBack) {
  AddIdentity("alice");
  Rules({{Verdict::kAsk, "alice"}});
  prompter_.hang = true;
  EXPECT_NE(Cancel(MakeCall()), nullptr);
  EXPECT_EQ(tokens_.signatures, 0u);
  prompter_.hang = false;
  EXPECT_EQ(GivenBy(Authenticate()), "alice");
}

TEST_F(AuthenticationTest, ALoopThatEndsGivesTheIdentityBack) {
  AddIdentity("alice");
  Rules({{Verdict::kAllow, "alice"}});
  tokens_.hang = true;
  {
    asio::io_context loop;
    asio::co_spawn(loop, authentication_.Authenticate(MakeCall()),
                   [](std::exception_ptr, Outcome) {});
    loop.poll();
  }
  tokens_.hang = false;
  EXPECT_EQ(GivenBy(Authenticate()), "alice");
}

TEST_F(AuthenticationTest, AnIdentityRemovedMeanwhileIsStillSafeToRead) {
  AddIdentity("alice");
  Rules({{Verdict::kAsk, "alice"}});
  prompter_.hang = true;
  asio::io_context loop;
  asio::cancellation_signal cancel;
  asio::co_spawn(loop, authentication_.Authenticate(MakeCall()),
                 asio::bind_cancellation_slot(cancel.slot(), [](std::exception_ptr, Outcome) {}));
  loop.poll();
  ASSERT_TRUE(identities_.Remove("alice").ok());
  policy_.ReplaceAdded({});
  cancel.emit(asio::cancellation_type::terminal);
  loop.run();
  EXPECT_EQ(audit_.records.back().identity, "alice");
}

}  // namespace
}  // namespace signet::agent
