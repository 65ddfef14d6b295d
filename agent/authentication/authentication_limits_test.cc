// How often an identity is given: to a caller, of a key, on a connection.
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <exception>
#include <vector>

#include "agent/authentication/authentication_fixture.h"

namespace signet::agent {
namespace {

using test::TestKeyType;

TEST_F(AuthenticationTest, ACallerThatAsksTooOftenIsDeclinedUntilTimePasses) {
  AddIdentity("alice");
  Rules({{Verdict::kAllow, "*"}});
  policy_.Configure({}, {}, {.per_caller = 2, .per_key = 0});
  AuthenticationCall call = MakeCall();
  for (uint8_t connection : {1, 2}) {
    call.handshake_context = wire::Bytes(32, connection);
    EXPECT_EQ(GivenBy(Authenticate(call)), "alice");
  }
  call.handshake_context = wire::Bytes(32, 3);
  ExpectDeclined(Authenticate(call), DeclineReason::kLimit, {"per_caller", "2 times a minute"});
  AuthenticationCall another = call;
  another.caller.executable = Executable{1, 2, "/usr/bin/another"};
  EXPECT_EQ(GivenBy(Authenticate(another)), "alice");
  now_ += std::chrono::seconds(31);
  call.handshake_context = wire::Bytes(32, 4);
  EXPECT_EQ(GivenBy(Authenticate(call)), "alice");
}

TEST_F(AuthenticationTest, AKeyThatIsUsedTooOftenIsDeclinedWhoeverAsks) {
  AddIdentity("alice");
  Rules({{Verdict::kAllow, "*"}});
  policy_.Configure({}, {}, {.per_caller = 0, .per_key = 1});
  AuthenticationCall call = MakeCall();
  EXPECT_EQ(GivenBy(Authenticate(call)), "alice");
  call.handshake_context = wire::Bytes(32, 9);
  call.caller.executable = Executable{1, 2, "/usr/bin/another"};
  ExpectDeclined(Authenticate(call), DeclineReason::kLimit, {"\"alice\"", "per_key"});
  EXPECT_EQ(tokens_.signatures, 1u);
  // It was not given on that connection: later it may be.
  now_ += std::chrono::minutes(1);
  EXPECT_EQ(GivenBy(Authenticate(call)), "alice");
}

TEST_F(AuthenticationTest, GivesNoIdentityTwiceOnOneConnection) {
  AddIdentity("alice");
  Rules({{Verdict::kAllow, "alice"}});
  EXPECT_EQ(GivenBy(Authenticate()), "alice");
  ExpectDeclined(Authenticate(), DeclineReason::kLimit, {"\"alice\"", "already given"});
  AuthenticationCall elsewhere = MakeCall();
  elsewhere.handshake_context[0] ^= 1;
  EXPECT_EQ(GivenBy(Authenticate(elsewhere)), "alice");
}

TEST_F(AuthenticationTest, BeyondOneUserAndOneDeviceARuleMustNameTheIdentity) {
  AddIdentity("alice");
  AddIdentity("bob");
  AddIdentity("pc", {}, TestKeyType::kP256, IdentityKind::kDevice);
  Rules({{Verdict::kAllow, "*"}});
  EXPECT_EQ(GivenBy(Authenticate()), "alice");
  EXPECT_EQ(GivenBy(Authenticate()), "pc");
  ExpectDeclined(Authenticate(), DeclineReason::kLimit);
  Rules({{Verdict::kAllow, "*"}, {Verdict::kAllow, "bob"}});
  EXPECT_EQ(GivenBy(Authenticate()), "bob");
  ExpectDeclined(Authenticate(), DeclineReason::kLimit, {"already given"});
}

TEST_F(AuthenticationTest, AFurtherIdentityIsToldWhichRuleWouldName) {
  AddIdentity("alice");
  Rules({{Verdict::kAllow, "*"}});
  EXPECT_EQ(GivenBy(Authenticate()), "alice");
  AddIdentity("aaron");
  ExpectDeclined(
      Authenticate(), DeclineReason::kLimit,
      {"user identity", "signet policy allow https://host.example:8443 --identity aaron"});
}

TEST_F(AuthenticationTest, TwoRequestsInFlightDoNotGetTheSameIdentity) {
  AddIdentity("alice");
  Rules({{Verdict::kAllow, "alice"}});
  asio::io_context loop;
  std::vector<Outcome> outcomes;
  tokens_.hang = true;
  asio::cancellation_signal cancel;
  asio::co_spawn(loop, authentication_.Authenticate(MakeCall()),
                 asio::bind_cancellation_slot(cancel.slot(), [](std::exception_ptr, Outcome) {}));
  loop.poll();
  tokens_.hang = false;
  asio::co_spawn(loop, authentication_.Authenticate(MakeCall()),
                 [&](std::exception_ptr, Outcome outcome) { outcomes.push_back(outcome); });
  loop.poll();
  ASSERT_EQ(outcomes.size(), 1u);
  ExpectDeclined(outcomes[0], DeclineReason::kLimit, {"already given"});
  cancel.emit(asio::cancellation_type::terminal);
  loop.run();
}

}  // namespace
}  // namespace signet::agent
