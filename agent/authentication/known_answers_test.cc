// The flow against vectors made by another implementation: same request and key, same bytes out.
#include "tests/vectors/known_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "agent/authentication/authentication.h"
#include "agent/authentication/authentication_fixture.h"
#include "agent/identity/signature_check.h"
#include "tests/support/fake_tokens.h"
#include "tests/support/run_awaitable.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_ca.h"

namespace signet::agent {
namespace {

class SilentAuditLog : public AuditLog {
 public:
  void Write(const AuditRecord&) override {}
  absl::Status CheckRecording() const override { return absl::OkStatus(); }
};

TEST(KnownAnswers, TheFlowGivesTheVectorsCertificateAndAGoodSignature) {
  int tried = 0;
  for (const testing::KnownAnswer& answer : testing::ReadKnownAnswers()) {
    if (answer.sender != wire::Sender::kClient) continue;
    SCOPED_TRACE(answer.id);
    ++tried;
    test::FakeTokens tokens;
    const test::TestKey key = test::TestKey::FromPkcs8(answer.private_key);
    Identity identity;
    identity.name = "known";
    identity.algorithm = answer.scheme_name;
    identity.key = tokens.Add(key);
    identity.public_key = key.public_key();
    identity.schemes = {answer.scheme};
    identity.chain = {answer.certificate};

    test::TemporaryFolder state;
    IdentityStore store(state.path());
    ASSERT_TRUE(store.Add(identity).ok());
    const Policy policy(
        {}, {{*OriginPattern::Parse("https://*"), "known", "", Verdict::kAllow, ""}}, {});
    NoPrompter prompter;
    SilentAuditLog audit;
    // The vectors' certificates are valid from 2025 on.
    Authentication authentication(store, policy, prompter, tokens, audit, [] {
      return std::chrono::system_clock::from_time_t(1'800'000'000);
    });
    AuthenticationCall call;
    call.process = std::make_shared<FakeProcess>();
    call.hash = answer.hash;
    call.handshake_context = answer.handshake_context;
    call.request = answer.request;
    call.origin = "https://a.example";
    call.deadline = Deadline::max();
    const Outcome outcome = test::RunAwaitable(authentication.Authenticate(call));
    ASSERT_TRUE(std::holds_alternative<Authenticated>(outcome))
        << std::get<Declined>(outcome).detail;

    const Authenticated& given = std::get<Authenticated>(outcome);
    EXPECT_EQ(given.certificate, answer.certificate_message);
    EXPECT_EQ(tokens.last_message, answer.to_be_signed);
    wire::Reader reader(given.certificate_verify);
    const auto message = wire::ReadHandshakeMessage(reader);
    ASSERT_TRUE(message.ok() && reader.empty());
    ASSERT_EQ(message->type, wire::HandshakeType::kCertificateVerify);
    const auto verify = wire::ParseCertificateVerify(message->body);
    ASSERT_TRUE(verify.ok());
    EXPECT_EQ(verify->scheme, answer.scheme);
    EXPECT_TRUE(IsSignature(*key.get(), verify->scheme, answer.to_be_signed, verify->signature));
    const bool deterministic = answer.scheme == wire::SignatureScheme::kEd25519 ||
                               answer.scheme == wire::SignatureScheme::kEd448;
    if (deterministic) {
      EXPECT_EQ(given.certificate_verify, answer.certificate_verify_message);
    }
  }
  EXPECT_EQ(tried, 10);
}

}  // namespace
}  // namespace signet::agent
