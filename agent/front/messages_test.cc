#include "agent/front/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>

namespace signet::agent {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

const auto kNow = std::chrono::steady_clock::time_point(std::chrono::hours(1));

TEST(Messages, DeadlineHasADefaultAndACap) {
  EXPECT_EQ(ToDeadline(0, kNow), kNow + milliseconds(30'000));
  EXPECT_EQ(ToDeadline(1, kNow), kNow + milliseconds(1));
  EXPECT_EQ(ToDeadline(119'999, kNow), kNow + milliseconds(119'999));
  EXPECT_EQ(ToDeadline(UINT32_MAX, kNow), kNow + milliseconds(120'000));
}

TEST(Messages, CallCarriesWhatTheCallerSaid) {
  v1::AuthenticateRequest message;
  message.set_hash(v1::PRF_HASH_SHA384);
  message.set_handshake_context("context");
  message.set_request("request");
  message.set_origin("https://example.com");
  message.set_deadline_ms(5);
  Caller caller;
  caller.uid = 1000;
  const auto call = FromMessage(message, caller, kNow);
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_EQ(call->caller.uid, 1000u);
  EXPECT_EQ(call->hash, wire::PrfHash::kSha384);
  EXPECT_EQ(std::string(call->handshake_context.begin(), call->handshake_context.end()), "context");
  EXPECT_EQ(std::string(call->request.begin(), call->request.end()), "request");
  EXPECT_EQ(call->origin, "https://example.com");
  EXPECT_EQ(call->deadline, kNow + milliseconds(5));
}

TEST(Messages, CallWithoutAHashIsRefused) {
  EXPECT_EQ(FromMessage(v1::AuthenticateRequest(), Caller(), kNow).status().code(),
            absl::StatusCode::kInvalidArgument);
  v1::AuthenticateRequest unknown;
  unknown.set_hash(static_cast<v1::PrfHash>(77));
  EXPECT_FALSE(FromMessage(unknown, Caller(), kNow).ok());
}

TEST(Messages, EveryReasonToDeclineHasItsNumber) {
  const std::pair<DeclineReason, v1::DeclineReason> reasons[] = {
      {DeclineReason::kNoIdentity, v1::DECLINE_REASON_NO_IDENTITY},
      {DeclineReason::kDenied, v1::DECLINE_REASON_DENIED},
      {DeclineReason::kConsent, v1::DECLINE_REASON_CONSENT},
      {DeclineReason::kTokenLocked, v1::DECLINE_REASON_TOKEN_LOCKED},
      {DeclineReason::kTokenFailed, v1::DECLINE_REASON_TOKEN_FAILED},
      {DeclineReason::kDeadline, v1::DECLINE_REASON_DEADLINE},
      {DeclineReason::kLimit, v1::DECLINE_REASON_LIMIT},
      {DeclineReason::kMalformed, v1::DECLINE_REASON_MALFORMED},
      {DeclineReason::kCallerChanged, v1::DECLINE_REASON_CALLER_CHANGED},
  };
  for (const auto& [reason, number] : reasons) {
    const auto message = ToMessage(Outcome(Declined{reason, "why"}));
    EXPECT_EQ(message.declined().reason(), number);
    EXPECT_EQ(message.declined().detail(), "why");
  }
}

TEST(Messages, KindsGoBothWays) {
  for (const IdentityKind kind :
       {IdentityKind::kDevice, IdentityKind::kUser, IdentityKind::kServer}) {
    EXPECT_EQ(FromMessage(ToMessage(kind)), kind);
  }
  EXPECT_EQ(FromMessage(v1::IDENTITY_KIND_UNSPECIFIED), std::nullopt);
}

TEST(Messages, RuleIsNormalised) {
  v1::Rule message;
  message.set_origin("https://EXAMPLE.com");
  message.set_identity("*");
  message.set_program("/usr/bin/env");
  message.set_decision("ask");
  const auto rule = FromMessage(message);
  ASSERT_TRUE(rule.ok()) << rule.status();
  const v1::Rule again = ToMessage(*rule);
  EXPECT_EQ(again.origin(), "https://example.com:443");
  EXPECT_EQ(again.identity(), "*");
  EXPECT_EQ(again.program(), "/usr/bin/env");
  EXPECT_EQ(again.decision(), "ask");
}

TEST(Messages, ErrorsKeepTheirKind) {
  EXPECT_EQ(ToMessage(absl::PermissionDeniedError("x")).code(), v1::ERROR_CODE_ACCESS);
  EXPECT_EQ(ToMessage(absl::ResourceExhaustedError("x")).code(), v1::ERROR_CODE_BUSY);
  EXPECT_EQ(ToMessage(absl::InvalidArgumentError("x")).code(), v1::ERROR_CODE_MALFORMED);
  EXPECT_EQ(ToMessage(absl::NotFoundError("x")).code(), v1::ERROR_CODE_NOT_FOUND);
  EXPECT_EQ(ToMessage(absl::UnavailableError("x")).code(), v1::ERROR_CODE_FAILED);
  EXPECT_EQ(ToMessage(absl::UnavailableError("the text")).message(), "the text");
}

TEST(Messages, UnlockErrorsSpeakOfThePin) {
  EXPECT_EQ(ToUnlockMessage(absl::PermissionDeniedError("x")).code(), v1::ERROR_CODE_WRONG_PIN);
  EXPECT_EQ(ToUnlockMessage(absl::ResourceExhaustedError("x")).code(), v1::ERROR_CODE_PIN_BLOCKED);
  EXPECT_EQ(ToUnlockMessage(absl::NotFoundError("x")).code(), v1::ERROR_CODE_NOT_FOUND);
  EXPECT_EQ(ToUnlockMessage(absl::UnavailableError("x")).code(), v1::ERROR_CODE_FAILED);
  EXPECT_EQ(ToUnlockMessage(absl::InvalidArgumentError("x")).code(), v1::ERROR_CODE_FAILED);
}

TEST(Messages, PlainTextKeepsGoodUtf8AndNothingElse) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {"/CN=Alice", "/CN=Alice"},
      {"Zoë 漢字 🔑", "Zoë 漢字 🔑"},
      {"two\nlines\t\x1b[31m\x7f", "two?lines??[31m?"},
      {std::string("nul\0l", 5), "nul?l"},
      {"\xff\xfe", "??"},
      {"cut \xe6\xbc", "cut ??"},
      {"\xc0\xaf", "??"},            // overlong
      {"\xed\xa0\x80", "???"},       // a surrogate
      {"\xf4\x90\x80\x80", "????"},  // above U+10FFFF
      {"\xc2\x85", "??"},            // C1 control
      {"\xc2\xa0", "\xc2\xa0"},
  };
  for (const auto& [raw, plain] : cases) EXPECT_EQ(PlainText(raw), plain);
}

TEST(Messages, TextFromOutsideIsMadePlain) {
  Authenticated authenticated{{}, {}, "alice", IdentityKind::kUser, "CN=\xff"};
  EXPECT_EQ(ToMessage(Outcome(authenticated)).authenticator().subject(), "CN=?");
  BackendStatus status{"b", "pkcs11", BackendState::kLocked, 1, "e\n", "n", true, "\xff", 0};
  const v1::BackendStatus message = ToMessage(status);
  EXPECT_EQ(message.token(), "?");
  EXPECT_EQ(message.last_error(), "e?");
  EXPECT_EQ(message.state(), "locked");
}

}  // namespace
}  // namespace signet::agent
