#include "agent/authentication/authentication.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "ipc/wire/certificate_request.h"
#include "tests/support/fake_tokens.h"
#include "tests/support/run_awaitable.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_ca.h"

namespace signet::agent {
namespace {

using std::chrono::hours;
using std::chrono::steady_clock;
using std::chrono::system_clock;
using test::CertificateOptions;
using test::TestCa;
using test::TestKeyType;
using ::testing::AllOf;
using ::testing::HasSubstr;
using wire::SignatureScheme;

constexpr char kOrigin[] = "https://host.example:8443";

class FakePrompter : public Prompter {
 public:
  asio::awaitable<Answer> Ask(const Caller&, const Origin& origin, const Identity& identity,
                              Deadline) override {
    ++asked;
    about = identity.name + " at " + origin.ToString();
    if (hang) {
      asio::steady_timer never(co_await asio::this_coro::executor,
                               asio::steady_timer::time_point::max());
      co_await never.async_wait(asio::use_awaitable);
    }
    co_return answer;
  }

  Answer answer{true, ""};
  bool hang = false;
  int asked = 0;
  std::string about;
};

class FakeAuditLog : public AuditLog {
 public:
  void Write(const AuditRecord& record) override { records.push_back(record); }
  std::vector<AuditRecord> records;
};

class AuthenticationTest : public ::testing::Test {
 protected:
  AuthenticationTest()
      : identities_(state_.path()),
        policy_({{1000}, {}}, {}, {}),
        authentication_(identities_, policy_, prompter_, tokens_, audit_, [this] { return now_; }) {
  }

  Identity AddIdentity(const std::string& name, CertificateOptions options = {},
                       TestKeyType type = TestKeyType::kP256,
                       IdentityKind kind = IdentityKind::kUser) {
    Identity identity = tokens_.NewIdentity(name, kind, type);
    options.common_name = name;
    identity.chain = {ca_.Issue(identity.public_key, options)};
    EXPECT_TRUE(identities_.Add(identity).ok());
    return identity;
  }

  void Rules(std::vector<std::pair<Verdict, std::string>> rules) {
    std::vector<Rule> made;
    for (const auto& [decision, identity] : rules) {
      made.push_back({*OriginPattern::Parse("https://*:*"), identity, "", decision, "test.toml"});
    }
    policy_.ReplaceAdded(std::move(made));
  }

  static AuthenticationCall MakeCall() {
    wire::CertificateRequest request;
    request.context = {1, 2, 3, 4};
    request.signature_algorithms = {SignatureScheme::kEd25519,
                                    SignatureScheme::kEcdsaSecp256r1Sha256};
    AuthenticationCall call;
    call.caller.uid = 1000;
    call.caller.pid = 42;
    call.handshake_context = wire::Bytes(32, 7);
    call.request = *wire::BuildCertificateRequest(request);
    call.origin = kOrigin;
    call.deadline = steady_clock::now() + hours(1);
    return call;
  }

  Outcome Authenticate(AuthenticationCall call) {
    return test::RunAwaitable(authentication_.Authenticate(std::move(call)));
  }
  Outcome Authenticate() { return Authenticate(MakeCall()); }

  static std::string GivenBy(const Outcome& outcome) {
    const auto* given = std::get_if<Authenticated>(&outcome);
    return given != nullptr ? given->identity : "declined: " + std::get<Declined>(outcome).detail;
  }

  void ExpectDeclined(const Outcome& outcome, DeclineReason reason,
                      std::vector<std::string> says = {}) {
    const auto* declined = std::get_if<Declined>(&outcome);
    ASSERT_NE(declined, nullptr);
    EXPECT_EQ(Name(declined->reason), Name(reason)) << declined->detail;
    for (const std::string& part : says) EXPECT_THAT(declined->detail, HasSubstr(part));
    ASSERT_FALSE(audit_.records.empty());
    EXPECT_EQ(audit_.records.back().outcome, Name(reason));
    EXPECT_EQ(audit_.records.back().detail, declined->detail);
  }

  // Starts a call, cancels it where it waits, and says how it ended.
  std::exception_ptr Cancel(AuthenticationCall call) {
    asio::io_context loop;
    asio::cancellation_signal cancel;
    std::exception_ptr failure;
    asio::co_spawn(loop, authentication_.Authenticate(std::move(call)),
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr thrown,
                                                                   Outcome) { failure = thrown; }));
    loop.poll();
    EXPECT_FALSE(loop.stopped());
    cancel.emit(asio::cancellation_type::terminal);
    loop.run();
    return failure;
  }

  test::TemporaryFolder state_;
  const TestCa ca_ = TestCa::Root("CA");
  test::FakeTokens tokens_;
  FakePrompter prompter_;
  FakeAuditLog audit_;
  system_clock::time_point now_ = system_clock::now();
  IdentityStore identities_;
  Policy policy_;
  Authentication authentication_;
};

TEST_F(AuthenticationTest, GivesCertificateAndVerifiedSignature) {
  const Identity alice = AddIdentity("alice");
  Rules({{Verdict::kAllow, "alice"}});
  const AuthenticationCall call = MakeCall();
  const Outcome outcome = Authenticate(call);
  ASSERT_TRUE(std::holds_alternative<Authenticated>(outcome)) << GivenBy(outcome);
  const Authenticated& given = std::get<Authenticated>(outcome);
  EXPECT_EQ(given.identity, "alice");
  EXPECT_EQ(given.kind, IdentityKind::kUser);
  EXPECT_EQ(given.subject, "CN=alice");
  EXPECT_EQ(given.certificate, *wire::BuildCertificate(wire::Bytes{1, 2, 3, 4}, alice.chain));
  EXPECT_EQ(tokens_.last_deadline, call.deadline);
  ASSERT_EQ(audit_.records.size(), 1u);
  EXPECT_EQ(audit_.records[0].outcome, "authenticated");
  EXPECT_EQ(audit_.records[0].identity, "alice");
  EXPECT_EQ(audit_.records[0].origin, kOrigin);
  EXPECT_EQ(audit_.records[0].caller.pid, 42);
  EXPECT_EQ(audit_.records[0].detail, "");
}

TEST_F(AuthenticationTest, RefusesAHandshakeContextOfAnotherLength) {
  AddIdentity("alice");
  Rules({{Verdict::kAllow, "*"}});
  for (const auto& [hash, size] :
       std::vector<std::pair<wire::PrfHash, size_t>>{{wire::PrfHash::kSha256, 0},
                                                     {wire::PrfHash::kSha256, 31},
                                                     {wire::PrfHash::kSha256, 48},
                                                     {wire::PrfHash::kSha384, 32},
                                                     {wire::PrfHash::kSha384, 49}}) {
    AuthenticationCall call = MakeCall();
    call.hash = hash;
    call.handshake_context.resize(size);
    ExpectDeclined(Authenticate(call), DeclineReason::kMalformed, {"handshake context"});
  }
  EXPECT_EQ(tokens_.signatures, 0u);
}

TEST_F(AuthenticationTest, RefusesRequestsThatItCannotReadOrDoesNotServe) {
  AddIdentity("alice");
  Rules({{Verdict::kAllow, "*"}});
  const wire::Bytes good = MakeCall().request;
  wire::Bytes client_request = good, truncated = good, longer = good;
  client_request[0] = 17;  // a client's request: what a server identity would answer
  truncated.pop_back();
  longer.push_back(0);
  const wire::Bytes bare(good.begin() + 4, good.end());
  for (const wire::Bytes& request :
       {client_request, truncated, longer, bare, wire::Bytes{}, wire::Bytes{13, 0, 0, 0},
        // Something that TLS 1.3 itself would sign.
        wire::Bytes(98, 0x20)}) {
    AuthenticationCall call = MakeCall();
    call.request = request;
    ExpectDeclined(Authenticate(call), DeclineReason::kMalformed, {"certificate request"});
  }
  EXPECT_EQ(tokens_.signatures, 0u);
}

TEST_F(AuthenticationTest, RefusesWhatIsNoOrigin) {
  AddIdentity("alice");
  Rules({{Verdict::kAllow, "*"}});
  for (const std::string origin : {"", "http://host.example", "https://user@host.example"}) {
    AuthenticationCall call = MakeCall();
    call.origin = origin;
    ExpectDeclined(Authenticate(call), DeclineReason::kMalformed, {"origin"});
  }
}

TEST_F(AuthenticationTest, DeclinesWhenNoIdentityMatches) {
  Rules({{Verdict::kAllow, "*"}});
  ExpectDeclined(Authenticate(), DeclineReason::kNoIdentity, {"signet identity create"});
  AddIdentity("alice");
  now_ += hours(1000);
  ExpectDeclined(Authenticate(), DeclineReason::kNoIdentity, {"\"alice\"", "expired"});
}

TEST_F(AuthenticationTest, DeniesWithoutARuleNamingTheCommand) {
  AddIdentity("alice");
  ExpectDeclined(Authenticate(), DeclineReason::kDenied,
                 {"signet policy allow https://host.example:8443 --identity alice"});
  EXPECT_EQ(audit_.records.back().identity, "alice");
  Rules({{Verdict::kAllow, "*"}, {Verdict::kDeny, "alice"}});
  ExpectDeclined(Authenticate(), DeclineReason::kDenied, {"test.toml denies"});
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
  prompter_.answer = {false, "the person said no"};
  ExpectDeclined(Authenticate(), DeclineReason::kConsent, {"the person said no"});
  EXPECT_EQ(tokens_.signatures, 0u);
  EXPECT_EQ(prompter_.about, "alice at https://host.example:8443");
  prompter_.answer = {true, ""};
  EXPECT_EQ(GivenBy(Authenticate()), "alice");
  EXPECT_EQ(prompter_.asked, 2);
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

TEST_F(AuthenticationTest, AChainTooLongToSendIsNoIdentity) {
  Identity alice = tokens_.NewIdentity("alice", IdentityKind::kUser);
  const wire::Bytes leaf = ca_.Issue(alice.public_key);
  alice.chain.assign(wire::kMaxChainLength + 1, leaf);
  ASSERT_TRUE(identities_.Add(alice).ok());
  Rules({{Verdict::kAllow, "alice"}});
  ExpectDeclined(Authenticate(), DeclineReason::kNoIdentity, {"import a shorter chain"});
}

TEST(DeclineReasons, HaveNames) {
  EXPECT_EQ(Name(DeclineReason::kNoIdentity), "no-identity");
  EXPECT_EQ(Name(DeclineReason::kDenied), "denied");
  EXPECT_EQ(Name(DeclineReason::kConsent), "consent");
  EXPECT_EQ(Name(DeclineReason::kTokenLocked), "token-locked");
  EXPECT_EQ(Name(DeclineReason::kTokenFailed), "token-failed");
  EXPECT_EQ(Name(DeclineReason::kDeadline), "deadline");
  EXPECT_EQ(Name(DeclineReason::kLimit), "limit");
  EXPECT_EQ(Name(DeclineReason::kMalformed), "malformed");
}

}  // namespace
}  // namespace signet::agent
