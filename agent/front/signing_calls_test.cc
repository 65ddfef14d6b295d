// Sign and GetKey over agent.sock.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "agent/front/test_agent.h"
#include "ipc/wire/signature_scheme.h"

namespace signet::agent {
namespace {

using ::testing::HasSubstr;

v1::ClientMessage SignCall(const std::string& content, const std::string& identity = "alice") {
  v1::ClientMessage message;
  message.set_id(3);
  v1::SignRequest& sign = *message.mutable_sign();
  sign.set_identity(identity);
  sign.set_scheme(static_cast<uint32_t>(wire::SignatureScheme::kEcdsaSecp256r1Sha256));
  sign.set_content(content);
  return message;
}

v1::ClientMessage GetKeyCall(const std::string& identity) {
  v1::ClientMessage message;
  message.set_id(4);
  message.mutable_get_key()->set_identity(identity);
  return message;
}

std::string ClientVerify() {
  return std::string(64, ' ') + "TLS 1.3, client CertificateVerify" + std::string(33, '\0');
}

v1::AgentMessage Ask(TestAgent& agent, const v1::ClientMessage& call) {
  auto channel = agent.Connect();
  Send(channel, call);
  v1::AgentMessage answer = Receive(channel);
  EXPECT_EQ(answer.id(), call.id());
  return answer;
}

void Allow(TestAgent& agent, Purpose purpose) {
  agent.OnLoop([&] {
    std::vector<Rule> rules = agent.policy.added();
    Rule rule{*OriginPattern::Parse("https://*:*"), "alice", "", Verdict::kAllow, "test.toml"};
    rule.purpose = purpose;
    rules.push_back(rule);
    agent.policy.ReplaceAdded(std::move(rules));
  });
}

TEST(SigningCalls, SignAClientsHandshakeWhereARuleAllows) {
  TestAgent agent;
  Allow(agent, Purpose::kTlsClient);
  const v1::AgentMessage answer = Ask(agent, SignCall(ClientVerify()));
  EXPECT_FALSE(answer.sign().signature().empty()) << answer.sign().declined().detail();
  EXPECT_EQ(agent.audit.Last("sign").outcome, "signed");
}

TEST(SigningCalls, ARefusalNamesPurposeAndRuleAndIsRecorded) {
  TestAgent agent;
  const v1::AgentMessage answer = Ask(agent, SignCall(ClientVerify()));
  EXPECT_EQ(answer.sign().declined().reason(), v1::DECLINE_REASON_DENIED);
  EXPECT_THAT(answer.sign().declined().detail(),
              HasSubstr("signet policy allow --purpose tls-client --identity alice"));
  const AuditRecord record = agent.audit.Last("sign");
  EXPECT_EQ(record.purpose, "tls-client");
  EXPECT_EQ(record.detail, answer.sign().declined().detail());
}

TEST(SigningCalls, OtherContentIsRefusedWhateverTheRulesAndRecorded) {
  TestAgent agent;
  for (const Purpose purpose : kWithoutOrigin) Allow(agent, purpose);
  const v1::AgentMessage answer = Ask(agent, SignCall("pay 100"));
  EXPECT_EQ(answer.sign().declined().reason(), v1::DECLINE_REASON_MALFORMED);
  EXPECT_THAT(agent.audit.Last("sign").detail, HasSubstr("nothing else is signed"));
}

TEST(SigningCalls, ThePublicPartIsForWhomARuleAdmits) {
  TestAgent agent;
  v1::AgentMessage answer = Ask(agent, GetKeyCall("alice"));
  EXPECT_EQ(answer.get_key().declined().reason(), v1::DECLINE_REASON_DENIED);
  EXPECT_EQ(agent.audit.Last("get-key").detail, answer.get_key().declined().detail());
  EXPECT_THAT(answer.get_key().declined().detail(), HasSubstr("kind server: --purpose server"));
  Allow(agent, Purpose::kCsr);
  answer = Ask(agent, GetKeyCall("alice"));
  EXPECT_FALSE(answer.get_key().key().public_key().empty());
  EXPECT_EQ(answer.get_key().key().chain_size(), 1);
}

TEST(SigningCalls, WhoIsNotAdmittedLearnsNotWhatThereIs) {
  TestAgent agent;
  std::string of_secret = Ask(agent, GetKeyCall("secret")).get_key().declined().detail();
  const std::string of_none = Ask(agent, GetKeyCall("nobody")).get_key().declined().detail();
  for (size_t at; (at = of_secret.find("secret")) != std::string::npos;) {
    of_secret.replace(at, 6, "nobody");
  }
  EXPECT_EQ(of_secret, of_none);
}

}  // namespace
}  // namespace signet::agent
