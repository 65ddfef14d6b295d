// What another agent has: when it is asked, and what of its answer is let out.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "agent/authentication/authentication_fixture.h"
#include "agent/authentication/upstream.h"

namespace signet::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The other agent: the real flow over its own identities, and what a bad one makes of its answer.
class OtherAgent : public Upstream {
 public:
  OtherAgent()
      : policy_({{1}, {}}, {}, {}),
        flow_(identities, policy_, prompter_, tokens, audit_, std::chrono::system_clock::now) {
    policy_.ReplaceAdded(
        {{*OriginPattern::Parse("https://*:*"), "*", "", Verdict::kAllow, "other.toml"}});
  }

  asio::awaitable<Outcome> Authenticate(const AuthenticationCall& call,
                                        const KeyReference& identity) override {
    asked.push_back(identity.backend + "/" +
                    std::string(identity.reference.begin(), identity.reference.end()));
    AuthenticationCall forwarded = call;
    forwarded.identity.assign(identity.reference.begin(), identity.reference.end());
    spoil_call(forwarded);
    Outcome outcome = co_await flow_.Authenticate(std::move(forwarded));
    if (auto* answer = std::get_if<Authenticated>(&outcome)) spoil(*answer);
    co_return outcome;
  }

  test::TemporaryFolder state;
  test::FakeTokens tokens;
  IdentityStore identities{state.path()};
  std::vector<std::string> asked;
  std::function<void(Authenticated&)> spoil = [](Authenticated&) {};
  std::function<void(AuthenticationCall&)> spoil_call = [](AuthenticationCall&) {};

 private:
  Policy policy_;
  FakePrompter prompter_;
  FakeAuditLog audit_;
  Authentication flow_;
};

class ForwardingTest : public AuthenticationTest {
 protected:
  ForwardingTest()
      : flow_(
            identities_, policy_, prompter_, tokens_, audit_, [this] { return now_; }, {},
            &other_) {
    Rules({{Verdict::kAllow, "*"}});
  }

  // The other agent has it, and told us.
  void AddThere(const std::string& name, std::string unusable = {},
                IdentityKind kind = IdentityKind::kDevice) {
    Identity identity = other_.tokens.NewIdentity(name, kind);
    test::CertificateOptions options;
    options.common_name = name;
    options.not_after = now_ + std::chrono::hours(48);  // longer than our own
    identity.chain = {ca_.Issue(identity.public_key, options)};
    ASSERT_TRUE(other_.identities.Add(identity).ok());
    FoundKey found{{"system", wire::Bytes(name.begin(), name.end())},
                   name,
                   "p256",
                   true,
                   identity.public_key,
                   identity.schemes,
                   identity.chain,
                   IdentityKind::kDevice,
                   true,
                   std::move(unusable)};
    told_.push_back(std::move(found));
    identities_.SetFound("system", told_);
  }

  Outcome Ask(uint8_t connection = 7) {
    AuthenticationCall call = MakeCall();
    call.handshake_context.assign(32, connection);
    return test::RunAwaitable(flow_.Authenticate(std::move(call)));
  }

  OtherAgent other_;
  Authentication flow_;
  std::vector<FoundKey> told_;
};

TEST_F(ForwardingTest, GivesTheOtherAgentsAnswerUnderItsNameHere) {
  AddThere("laptop");
  const Outcome outcome = Ask();
  EXPECT_EQ(GivenBy(outcome), "system.laptop");
  EXPECT_EQ(std::get<Authenticated>(outcome).kind, IdentityKind::kDevice);
  EXPECT_THAT(std::get<Authenticated>(outcome).subject, HasSubstr("laptop"));
  EXPECT_THAT(other_.asked, ElementsAre("system/laptop"));
  EXPECT_EQ(audit_.records.back().backend, "system");
  EXPECT_EQ(audit_.records.back().identity, "system.laptop");
}

TEST_F(ForwardingTest, AsksTheOtherAgentOnlyWhenNothingOfOurOwnCanBeGiven) {
  AddThere("laptop");
  AddIdentity("alice");
  EXPECT_EQ(GivenBy(Ask()), "alice");
  EXPECT_TRUE(other_.asked.empty());
  EXPECT_EQ(GivenBy(Ask()), "system.laptop");  // alice was given on this connection
}

TEST_F(ForwardingTest, AsksAPersonAboutOurOwnRatherThanTheOtherAgent) {
  AddThere("laptop");
  AddIdentity("alice");
  Rules({{Verdict::kAllow, "*"}, {Verdict::kAsk, "alice"}});
  EXPECT_EQ(GivenBy(Ask()), "alice");
  EXPECT_EQ(prompter_.about, "alice at https://host.example:8443");
}

TEST_F(ForwardingTest, OurRulesCountForTheOtherAgentsIdentities) {
  AddThere("laptop");
  AddThere("tablet");
  Rules({{Verdict::kAllow, "*"}, {Verdict::kDeny, "system.tablet"}});
  EXPECT_EQ(GivenBy(Ask()), "system.laptop");
  Rules({{Verdict::kAllow, "system.tablet"}});
  EXPECT_EQ(GivenBy(Ask(8)), "system.tablet");
  Rules({});
  ExpectDeclined(Ask(9), DeclineReason::kDenied, {"signet policy allow"});
  Rules({{Verdict::kAsk, "*"}});
  prompter_.answer = {};
  prompter_.answer.kind = Answer::Kind::kNobody;
  ExpectDeclined(Ask(10), DeclineReason::kConsent, {"nobody can be asked"});
  EXPECT_EQ(other_.asked.size(), 2u);
}

TEST_F(ForwardingTest, NothingFailsWhenTheOtherAgentSwitchesTheCertificateUntilItRetiresTheOld) {
  AddThere("laptop");
  const test::TestCa successor = test::TestCa::Root("Successor");
  ASSERT_TRUE(other_.identities
                  .SetNextChain("laptop",
                                {successor.Issue(told_[0].public_key, {.common_name = "renewed"})})
                  .ok());
  ASSERT_TRUE(other_.identities.SwitchToNext("laptop").ok());
  const auto subject = [](const Outcome& outcome) {
    return std::holds_alternative<Authenticated>(outcome) ? std::get<Authenticated>(outcome).subject
                                                          : std::get<Declined>(outcome).detail;
  };
  EXPECT_EQ(subject(Ask(20)), "CN=laptop");  // as it was told last
  const Identity there = other_.identities.snapshot()->front();
  told_[0].chain = there.chain;
  told_[0].previous_chain = there.previous->chain;
  identities_.SetFound("system", told_);
  EXPECT_EQ(subject(Ask(21)), "CN=renewed");
  Rule rule{*OriginPattern::Parse("https://*:*"), "*", "", Verdict::kAllow, "test.toml"};
  rule.issuer = "CA";
  policy_.ReplaceAdded({rule});
  EXPECT_EQ(subject(Ask(22)), "CN=laptop");
  ASSERT_TRUE(other_.identities.RetirePrevious("laptop").ok());
  ExpectDeclined(Ask(23), DeclineReason::kNoIdentity, {"agent \"system\" declines"});
}

TEST_F(ForwardingTest, NeverForwardsWhatAnotherAgentForwarded) {
  AddThere("laptop");
  for (const std::string name : {"system.laptop", "laptop"}) {
    AuthenticationCall call = MakeCall();
    call.identity = name;
    ExpectDeclined(test::RunAwaitable(flow_.Authenticate(std::move(call))),
                   DeclineReason::kNoIdentity, {"\"" + name + "\"", "only one asked for"});
  }
  EXPECT_TRUE(other_.asked.empty());
}

TEST_F(ForwardingTest, GivesAnotherAgentTheOneIdentityThatItAsksFor) {
  AddIdentity("alice");
  AddIdentity("bob");
  for (const std::string name : {"bob", "alice"}) {
    AuthenticationCall call = MakeCall();
    call.identity = name;
    call.handshake_context.assign(32, static_cast<uint8_t>(name.size()));
    EXPECT_EQ(GivenBy(test::RunAwaitable(flow_.Authenticate(std::move(call)))), name);
  }
}

TEST_F(ForwardingTest, AsksForNoneThatTheOtherAgentCanNotUse) {
  AddThere("laptop", "the token is locked");
  ExpectDeclined(Ask(), DeclineReason::kNoIdentity, {"system.laptop", "the token is locked"});
  EXPECT_TRUE(other_.asked.empty());
}

TEST_F(ForwardingTest, PassesOnWhyTheOtherAgentDeclines) {
  AddThere("laptop");
  other_.tokens.sign_error = absl::FailedPreconditionError("tpm: sign: locked");
  ExpectDeclined(Ask(), DeclineReason::kTokenLocked,
                 {"agent \"system\" declines: ", "tpm: sign: locked"});
  other_.tokens.sign_error = absl::OkStatus();
  EXPECT_EQ(GivenBy(Ask()), "system.laptop");  // a decline does not count as given
  ExpectDeclined(Ask(), DeclineReason::kLimit, {"already given"});
}

TEST_F(ForwardingTest, LetsNoAnswerOutButTheOneItWouldHaveGiven) {
  AddThere("laptop");
  AddThere("user", {}, IdentityKind::kUser);
  const auto cut = [](wire::Bytes& bytes) { bytes.pop_back(); };
  struct Case {
    std::string says;
    std::function<void(Authenticated&)> spoil;
    std::function<void(AuthenticationCall&)> spoil_call = [](AuthenticationCall&) {};
  };
  wire::CertificateRequest other_request;
  other_request.context = {9};
  other_request.signature_algorithms = {wire::SignatureScheme::kEcdsaSecp256r1Sha256};
  const std::vector<Case> cases = {
      {"not a device's", [](Authenticated& a) { a.kind = IdentityKind::kUser; }},
      {"another certificate", [&](Authenticated& a) { cut(a.certificate); }},
      {"another certificate", [](Authenticated& a) { a.certificate.clear(); }},
      {"another certificate", [](Authenticated& a) { a.certificate[5] ^= 1; }},
      {"another certificate", [](Authenticated&) {},
       [&](AuthenticationCall& c) { c.request = *wire::BuildCertificateRequest(other_request); }},
      {"no CertificateVerify", [&](Authenticated& a) { cut(a.certificate_verify); }},
      {"no CertificateVerify", [](Authenticated& a) { a.certificate_verify.clear(); }},
      {"no CertificateVerify", [](Authenticated& a) { a.certificate_verify.push_back(0); }},
      {"no CertificateVerify", [](Authenticated& a) { a.certificate_verify[0] = 11; }},
      {"not asked for", [](Authenticated& a) { a.certificate_verify[4] = 5; }},
      {"wrong signature",
       [](Authenticated& a) { a.certificate_verify[4] = 8, a.certificate_verify[5] = 7; }},
      {"wrong signature", [](Authenticated& a) { a.certificate_verify.back() ^= 1; }},
      {"wrong signature", [](Authenticated&) {},
       [](AuthenticationCall& c) { c.handshake_context.assign(32, 99); }}};
  Rules({{Verdict::kAllow, "system.laptop"}});
  uint8_t connection = 100;
  for (const Case& c : cases) {
    other_.spoil = c.spoil;
    other_.spoil_call = [&c, connection](AuthenticationCall& call) {
      call.handshake_context.assign(32, connection);  // nothing is given twice there either
      c.spoil_call(call);
    };
    ExpectDeclined(Ask(connection++), DeclineReason::kTokenFailed, {c.says, "not let out"});
  }
}

}  // namespace
}  // namespace signet::agent
