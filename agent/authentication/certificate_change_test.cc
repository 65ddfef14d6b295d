// Which certificate a request is given while an identity's changes.
#include "agent/authentication/authentication_fixture.h"
#include "agent/identity/selection.h"
#include "ipc/wire/authenticator.h"

namespace signet::agent {
namespace {

using std::chrono::hours;

// "laptop", whose certificate is now by `successor_`, was by `ca_`, and expires before that.
class CertificateChangeTest : public AuthenticationTest {
 protected:
  CertificateChangeTest() {
    const Identity identity = AddIdentity("laptop", {{.not_after = now_ + hours(48)}});
    EXPECT_TRUE(identities_
                    .SetNextChain("laptop", {successor_.Issue(identity.public_key,
                                                              {.common_name = "laptop"})})
                    .ok());
    EXPECT_TRUE(identities_.SwitchToNext("laptop").ok());
    Rules({{Verdict::kAllow, "laptop"}});
  }

  AuthenticationCall CallFor(std::vector<wire::Bytes> authorities) {
    wire::CertificateRequest request;
    request.context = {1, 2, 3, 4};
    request.signature_algorithms = {wire::SignatureScheme::kEcdsaSecp256r1Sha256};
    request.certificate_authorities = std::move(authorities);
    AuthenticationCall call = MakeCall();
    call.handshake_context[0] = ++connections_;
    call.request = *wire::BuildCertificateRequest(request);
    return call;
  }
  // The issuer of the certificate given.
  std::string IssuerGiven(AuthenticationCall call) {
    const Outcome outcome = Authenticate(std::move(call));
    const auto* given = std::get_if<Authenticated>(&outcome);
    if (given == nullptr) return std::get<Declined>(outcome).detail;
    const Identity identity = identities_.snapshot()->front();
    for (const Identity* one : {&identity, identity.previous.get()}) {
      const std::string certificate(given->certificate.begin(), given->certificate.end());
      if (one != nullptr && certificate.find(std::string(
                                one->chain[0].begin(), one->chain[0].end())) != std::string::npos) {
        return Summarize(*one).issuer;
      }
    }
    return "a certificate of nobody";
  }

  const test::TestCa successor_ = test::TestCa::Root("Successor");
  uint8_t connections_ = 0;
};

TEST_F(CertificateChangeTest, GivesTheCurrentCertificateFirst) {
  EXPECT_EQ(IssuerGiven(CallFor({})), "CN=Successor");
  EXPECT_EQ(IssuerGiven(CallFor({ca_.subject(), successor_.subject()})), "CN=Successor");
  EXPECT_EQ(audit_.records.back().detail, "");
}

TEST_F(CertificateChangeTest, GivesThePreviousToWhoTakesNoOtherUntilItIsRetired) {
  EXPECT_EQ(IssuerGiven(CallFor({ca_.subject()})), "CN=CA");
  EXPECT_EQ(audit_.records.back().detail, "with its previous certificate");
  ASSERT_TRUE(identities_.RetirePrevious("laptop").ok());
  EXPECT_THAT(IssuerGiven(CallFor({ca_.subject()})), ::testing::HasSubstr("no identity fits"));
}

TEST_F(CertificateChangeTest, RulesCountForTheCertificateThatIsGiven) {
  Rule rule{*OriginPattern::Parse("https://*:*"), "laptop", "", Verdict::kAllow, "test.toml"};
  rule.issuer = "CA";
  policy_.ReplaceAdded({rule});
  EXPECT_EQ(IssuerGiven(CallFor({})), "CN=CA");
  EXPECT_THAT(IssuerGiven(CallFor({successor_.subject()})), ::testing::HasSubstr("no rule allows"));
}

TEST_F(CertificateChangeTest, AConnectionIsGivenOneOfTheTwo) {
  AuthenticationCall first = CallFor({ca_.subject()}), second = CallFor({successor_.subject()});
  second.handshake_context = first.handshake_context;
  EXPECT_EQ(IssuerGiven(std::move(first)), "CN=CA");
  EXPECT_THAT(IssuerGiven(std::move(second)), ::testing::HasSubstr("already given"));
}

TEST_F(CertificateChangeTest, APersonIsAskedAboutOneOfTheTwo) {
  Rules({{Verdict::kAsk, "laptop"}});
  EXPECT_EQ(IssuerGiven(CallFor({})), "CN=Successor");
  EXPECT_EQ(prompter_.about, "laptop at https://host.example:8443");
}

}  // namespace
}  // namespace signet::agent
