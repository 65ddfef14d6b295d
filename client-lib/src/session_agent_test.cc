// A session whose agent is not there, or not right.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signet/client.h>

#include <ostream>

#include "tests/support/client_and_server.h"

namespace signet::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(SessionAgentTest, DeclinesWhenTheAgentIsGone) {
  ClientAndServer pair;
  pair.Ask();
  pair.TellAgent();
  ASSERT_EQ(signet_session_agent_gone(pair.session.get(), "start signetd"), SIGNET_OK);
  pair.Ask();
  for (const Answer& answer : pair.Finish()) EXPECT_EQ(answer.result, SIGNET_RESULT_DECLINED);
  for (const Event& event : pair.Settled()) {
    EXPECT_EQ(event.reason, "no-agent");
    EXPECT_EQ(event.detail, "start signetd");
  }
  EXPECT_EQ(signet_session_agent_output(pair.session.get()).size, 0u);
  EXPECT_EQ(pair.AgentSays(pair.agent.Proof(1)), SIGNET_ERROR_STATE);

  ASSERT_EQ(signet_session_agent_available(pair.session.get()), SIGNET_OK);
  pair.Ask();
  pair.TellAgent();
  ASSERT_EQ(pair.AgentSays(pair.agent.Proof(3)), SIGNET_OK);
  EXPECT_EQ(pair.Finish().at(0).result, SIGNET_RESULT_IDENTITY);
}

TEST(SessionAgentTest, DeclinesWhenTheAgentAnswersGarbage) {
  ClientAndServer pair;
  v1::AgentMessage other;
  other.set_id(1);
  other.mutable_unlock();
  v1::AgentMessage nothing;
  nothing.set_id(1);
  nothing.mutable_authenticate();
  const wire::Bytes garbage[] = {
      {0, 0, 0, 3, 0xff, 0xff, 0xff},    // not protobuf
      {0, 4, 0, 1},                      // above the limit of the framing
      {0, 0, 0, 4, 0x08, 1, 0x12, 0x7f}  // a field beyond the end
      ,
      {0, 0, 0, 0},  // an empty message
      FakeAgent::Framed(other),
      FakeAgent::Framed(nothing),
  };
  for (const wire::Bytes& bytes : garbage) {
    ASSERT_EQ(signet_session_agent_available(pair.session.get()), SIGNET_OK);
    pair.Ask();
    pair.TellAgent();
    EXPECT_EQ(signet_session_agent_input(pair.session.get(), bytes.data(), bytes.size()),
              SIGNET_ERROR_AGENT);
    EXPECT_EQ(pair.Finish().at(0).result, SIGNET_RESULT_DECLINED);
    const auto events = pair.Settled();
    ASSERT_THAT(events, SizeIs(1));
    EXPECT_EQ(events[0].reason, "no-agent");
    EXPECT_THAT(events[0].detail, HasSubstr("signetd"));
  }
}

TEST(SessionAgentTest, IgnoresAnswersToUnknownCalls) {
  ClientAndServer pair;
  pair.Ask();
  pair.TellAgent();
  v1::AgentMessage unknown = pair.agent.Proof(1);
  unknown.set_id(99);
  EXPECT_EQ(pair.AgentSays(unknown), SIGNET_OK);
  EXPECT_THAT(pair.ClientFrames(), IsEmpty());
  EXPECT_EQ(pair.AgentSays(pair.agent.Proof(1)), SIGNET_OK);
  EXPECT_EQ(pair.Finish().at(0).result, SIGNET_RESULT_IDENTITY);
}

TEST(SessionAgentTest, ReadsAnswersCutAnywhere) {
  ClientAndServer pair;
  pair.Ask(2);
  pair.TellAgent();
  wire::Bytes stream = FakeAgent::Framed(pair.agent.Proof(1));
  const wire::Bytes second = FakeAgent::Framed(pair.agent.Proof(2));
  stream.insert(stream.end(), second.begin(), second.end());
  for (const uint8_t byte : stream) {
    ASSERT_EQ(signet_session_agent_input(pair.session.get(), &byte, 1), SIGNET_OK);
  }
  const auto answers = pair.Finish();
  ASSERT_THAT(answers, SizeIs(2));
  for (const Answer& answer : answers) EXPECT_EQ(answer.result, SIGNET_RESULT_IDENTITY);
}

struct WrongProof {
  const char* name;
  void (*spoil)(v1::Authenticator&);
  const char* detail;
};

void PrintTo(const WrongProof& row, std::ostream* out) { *out << row.name; }

class WrongProofTest : public ::testing::TestWithParam<WrongProof> {};

TEST_P(WrongProofTest, IsDeclinedAndNotSent) {
  ClientAndServer pair;
  pair.Ask();
  pair.TellAgent();
  v1::AgentMessage message = pair.agent.Proof(1);
  GetParam().spoil(*message.mutable_authenticate()->mutable_authenticator());
  ASSERT_EQ(pair.AgentSays(message), SIGNET_OK);
  EXPECT_EQ(pair.Finish().at(0).result, SIGNET_RESULT_DECLINED);
  const auto events = pair.Settled();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].reason, "token-failed");
  EXPECT_THAT(events[0].detail, HasSubstr(GetParam().detail));
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongProofTest,
    ::testing::Values(
        WrongProof{"Context",
                   [](v1::Authenticator& proof) { (*proof.mutable_certificate())[5] ^= 1; },
                   "context"},
        WrongProof{"CertificateTruncated",
                   [](v1::Authenticator& proof) { proof.mutable_certificate()->pop_back(); },
                   "Certificate is not one whole message"},
        WrongProof{"CertificateTrailing",
                   [](v1::Authenticator& proof) { proof.mutable_certificate()->push_back('\0'); },
                   "Certificate is not one whole message"},
        WrongProof{"NoCertificate", [](v1::Authenticator& proof) { proof.clear_certificate(); },
                   "Certificate is not one whole message"},
        WrongProof{"Scheme",  // rsa_pkcs1_sha256
                   [](v1::Authenticator& proof) {
                     proof.mutable_certificate_verify()->replace(4, 2, "\x04\x01");
                   },
                   "scheme"},
        WrongProof{"VerifyEmpty",
                   [](v1::Authenticator& proof) { proof.clear_certificate_verify(); },
                   "CertificateVerify is not one whole message"},
        WrongProof{"VerifyIsFinished",
                   [](v1::Authenticator& proof) { (*proof.mutable_certificate_verify())[0] = 20; },
                   "CertificateVerify is not one whole message"},
        WrongProof{"ServerIdentity",
                   [](v1::Authenticator& proof) { proof.set_kind(v1::IDENTITY_KIND_SERVER); },
                   "neither user nor device"},
        WrongProof{
            "UnknownKind",
            [](v1::Authenticator& proof) { proof.set_kind(static_cast<v1::IdentityKind>(1000)); },
            "neither user nor device"}),
    [](const auto& test) { return test.param.name; });

TEST(SessionAgentTest, CutsLongTextsAndTextsWithZeroBytes) {
  ClientAndServer pair;
  pair.Ask(2);
  pair.TellAgent();
  ASSERT_EQ(
      pair.AgentSays(FakeAgent::Refusal(1, v1::DECLINE_REASON_DENIED, std::string(100'000, 'x'))),
      SIGNET_OK);
  ASSERT_EQ(
      pair.AgentSays(FakeAgent::Refusal(2, v1::DECLINE_REASON_DENIED, std::string("ab\0cd", 5))),
      SIGNET_OK);
  pair.Finish();
  const auto events = pair.Settled();
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_THAT(events[0].detail, SizeIs(1024));
  EXPECT_EQ(events[1].detail, "ab");
}

}  // namespace
}  // namespace signet::test
