#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509.h>

#include "agent/authentication/authentication_fixture.h"
#include "agent/identity/openssl.h"
#include "agent/identity/signature_check.h"

namespace signet::agent {
namespace {

using ::testing::HasSubstr;
using wire::SignatureScheme;

wire::Bytes Verify(std::string_view context) {
  std::string content(64, ' ');
  content += context;
  content.append(33, '\0');
  return {content.begin(), content.end()};
}

wire::Bytes ClientVerify() { return Verify("TLS 1.3, client CertificateVerify"); }

wire::Bytes RequestFor(wire::BytesView public_key) {
  const OpenSslPtr<EVP_PKEY> key = DecodeDer(d2i_PUBKEY, public_key);
  const OpenSslPtr<X509_REQ> request(X509_REQ_new());
  X509_REQ_set_pubkey(request.get(), key.get());
  return EncodeDer(i2d_re_X509_REQ_tbs, request.get());
}

class SigningTest : public AuthenticationTest {
 protected:
  void Allow(Purpose purpose, Verdict verdict = Verdict::kAllow) {
    std::vector<Rule> rules = policy_.added();
    Rule rule{*OriginPattern::Parse("https://*:*"), "*", "", verdict, "test.toml"};
    rule.purpose = purpose;
    rules.push_back(rule);
    policy_.ReplaceAdded(std::move(rules));
  }

  SigningOutcome Sign(wire::Bytes content, const std::string& identity = "a",
                      SignatureScheme scheme = SignatureScheme::kEcdsaSecp256r1Sha256,
                      wire::Bytes public_key = {}) {
    SigningCall call;
    call.caller = MakeCall().caller;
    call.process = process_;
    call.identity = identity;
    call.scheme = scheme;
    call.content = std::move(content);
    call.public_key = std::move(public_key);
    call.deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
    return test::RunAwaitable(authentication_.SignContent(std::move(call)));
  }

  void ExpectRefused(const SigningOutcome& outcome, DeclineReason reason, const std::string& says) {
    const auto* declined = std::get_if<Declined>(&outcome);
    ASSERT_NE(declined, nullptr);
    EXPECT_EQ(Name(declined->reason), Name(reason)) << declined->detail;
    EXPECT_THAT(declined->detail, HasSubstr(says));
    ASSERT_FALSE(audit_.records.empty());
    EXPECT_EQ(audit_.records.back().event, "sign");
    EXPECT_EQ(audit_.records.back().outcome, Name(reason));
    EXPECT_EQ(tokens_.signatures, 0);
  }
};

TEST_F(SigningTest, SignsAfterASwitchForWhoLoadedThePreviousCertificateUntilItIsRetired) {
  const Identity a = AddIdentity("a");
  const wire::Bytes next =
      test::TestCa::Root("Successor").Issue(a.public_key, {.common_name = "a"});
  Rule rule{*OriginPattern::Parse("https://*:*"), "*", "", Verdict::kAllow, "test.toml"};
  rule.purpose = Purpose::kTlsClient;
  policy_.ReplaceAdded({rule});
  ASSERT_TRUE(identities_.SetNextChain("a", {next}).ok() && identities_.SwitchToNext("a").ok());
  const auto is_signed = [](const SigningOutcome& outcome) {
    return std::holds_alternative<wire::Bytes>(outcome);
  };
  const auto scheme = SignatureScheme::kEcdsaSecp256r1Sha256;
  EXPECT_TRUE(is_signed(Sign(ClientVerify(), "a", scheme, a.public_key)));
  rule.issuer = "CA";  // the previous one's
  policy_.ReplaceAdded({rule});
  EXPECT_TRUE(is_signed(Sign(ClientVerify(), "a", scheme, a.public_key)));
  ASSERT_TRUE(identities_.RetirePrevious("a").ok());
  EXPECT_FALSE(is_signed(Sign(ClientVerify(), "a", scheme, a.public_key)));
}

TEST_F(SigningTest, NoRuleOfAPreviousCertificateThatHasExpiredAdmits) {
  const Identity a = AddIdentity("a");  // for a day
  const wire::Bytes next =
      test::TestCa::Root("Successor")
          .Issue(a.public_key, {.common_name = "a", .not_after = now_ + std::chrono::hours(96)});
  Rule rule{*OriginPattern::Parse("https://*:*"), "*", "", Verdict::kAllow, "test.toml"};
  rule.purpose = Purpose::kTlsClient;
  rule.issuer = "CA";  // the previous one's
  policy_.ReplaceAdded({rule});
  ASSERT_TRUE(identities_.SetNextChain("a", {next}).ok() && identities_.SwitchToNext("a").ok());
  ASSERT_TRUE(std::holds_alternative<wire::Bytes>(Sign(ClientVerify())));
  tokens_.signatures = 0;
  now_ += std::chrono::hours(48);
  ExpectRefused(Sign(ClientVerify()), DeclineReason::kDenied, "tls-client");
}

TEST_F(SigningTest, SignsForATlsClientWhereARuleOfThatPurposeAllows) {
  const Identity a = AddIdentity("a");
  Allow(Purpose::kTlsClient);
  const SigningOutcome outcome = Sign(ClientVerify());
  ASSERT_TRUE(std::holds_alternative<wire::Bytes>(outcome));
  const OpenSslPtr<EVP_PKEY> key = DecodeDer(d2i_PUBKEY, a.public_key);
  EXPECT_TRUE(IsSignature(*key, SignatureScheme::kEcdsaSecp256r1Sha256, ClientVerify(),
                          std::get<wire::Bytes>(outcome)));
  EXPECT_EQ(audit_.records.back().purpose, "tls-client");
  EXPECT_EQ(audit_.records.back().outcome, "signed");
  EXPECT_EQ(audit_.records.back().identity, "a");
}

TEST_F(SigningTest, RulesOfOtherPurposesAllowNothing) {
  AddIdentity("a");
  Allow(Purpose::kExportedAuthenticator);
  Allow(Purpose::kCsr);
  ExpectRefused(Sign(ClientVerify()), DeclineReason::kDenied,
                "signet policy allow --purpose tls-client --identity a");
}

TEST_F(SigningTest, ARequestIsSignedForItsOwnKeyAlone) {
  const Identity a = AddIdentity("a");
  const Identity b = AddIdentity("b");
  Allow(Purpose::kCsr);
  ExpectRefused(Sign(RequestFor(b.public_key)), DeclineReason::kDenied, "signs only its own");
  EXPECT_TRUE(std::holds_alternative<wire::Bytes>(Sign(RequestFor(a.public_key))));
}

TEST_F(SigningTest, NothingElseIsSignedWhateverTheRules) {
  AddIdentity("a");
  for (Purpose purpose : {Purpose::kTlsClient, Purpose::kCsr}) Allow(purpose);
  ExpectRefused(Sign(wire::Bytes(32, 1)), DeclineReason::kMalformed, "purpose tls-client");
}

TEST_F(SigningTest, AStrangerLearnsNotWhichIdentitiesThereAre) {
  ExpectRefused(Sign(ClientVerify(), "none"), DeclineReason::kDenied, "no rule allows");
}

TEST_F(SigningTest, RefusesAKeyThatIsNotTheOneExpected) {
  AddIdentity("a");
  const Identity b = AddIdentity("b");
  Allow(Purpose::kTlsClient);
  ExpectRefused(Sign(ClientVerify(), "a", SignatureScheme::kEcdsaSecp256r1Sha256, b.public_key),
                DeclineReason::kNoIdentity, "signet identity reference a");
}

TEST_F(SigningTest, RefusesSchemesThatAreNotTheKeys) {
  AddIdentity("a");
  Allow(Purpose::kTlsClient);
  for (const SignatureScheme scheme :
       {SignatureScheme::kEcdsaSecp384r1Sha384, SignatureScheme::kRsaPkcs1Sha256,
        static_cast<SignatureScheme>(0)}) {
    ExpectRefused(Sign(ClientVerify(), "a", scheme), DeclineReason::kNoIdentity, "does not sign");
  }
}

TEST_F(SigningTest, ServerIdentitiesSignExportedAuthenticatorsAndNothingElse) {
  test::CertificateOptions options;
  options.extended_key_usage = "serverAuth";
  options.not_after = now_ + std::chrono::hours(24);
  const Identity a = AddIdentity("a", options, test::TestKeyType::kP256, IdentityKind::kServer);
  Allow(Purpose::kTlsClient);
  Allow(Purpose::kCsr);
  const wire::Bytes authenticator = Verify("Exported Authenticator");
  ExpectRefused(Sign(authenticator), DeclineReason::kDenied,
                "signet policy allow --purpose server --identity a");
  Allow(Purpose::kServer);
  for (const wire::Bytes& other : {ClientVerify(), RequestFor(a.public_key)}) {
    ExpectRefused(Sign(other), DeclineReason::kNoIdentity, "server identity");
  }
  EXPECT_TRUE(std::holds_alternative<wire::Bytes>(Sign(authenticator)));
  EXPECT_EQ(audit_.records.back().purpose, "server");
}

TEST_F(SigningTest, OtherIdentitiesSignNoExportedAuthenticatorThatAProgramBuilt) {
  AddIdentity("a");
  for (const Purpose purpose : {Purpose::kExportedAuthenticator, Purpose::kTlsClient}) {
    Allow(purpose);
  }
  ExpectRefused(Sign(Verify("Exported Authenticator")), DeclineReason::kDenied, "of kind server");
  Allow(Purpose::kServer);
  ExpectRefused(Sign(Verify("Exported Authenticator")), DeclineReason::kNoIdentity,
                "of kind server");
}

TEST_F(SigningTest, AChangedCallerGetsNothing) {
  AddIdentity("a");
  Allow(Purpose::kTlsClient);
  process_->unchanged = absl::PermissionDeniedError("it runs another program");
  ExpectRefused(Sign(ClientVerify()), DeclineReason::kCallerChanged, "another program");
}

TEST_F(SigningTest, AWrongSignatureIsNotLetOut) {
  AddIdentity("a");
  Allow(Purpose::kTlsClient);
  tokens_.sign_wrongly = true;
  const SigningOutcome outcome = Sign(ClientVerify());
  ASSERT_TRUE(std::holds_alternative<Declined>(outcome));
  EXPECT_THAT(std::get<Declined>(outcome).detail, HasSubstr("wrong signature"));
}

}  // namespace
}  // namespace signet::agent
