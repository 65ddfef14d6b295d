#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "agent/cli/cli_fixture.h"
#include "agent/oauth/client_metadata.h"
#include "agent/oauth/thumbprint.h"
#include "tests/support/test_ca.h"

namespace signet::cli {
namespace {

using ::testing::HasSubstr;

class OauthCommandsTest : public CliTest {
 protected:
  OauthCommandsTest() {
    const auto root = test::TestCa::Root("Root");
    chain_ = {root.Issue(test::TestKey::Generate(test::TestKeyType::kP256).public_key(),
                         {.common_name = "laptop",
                          .subject_alt_names = "DNS:laptop.example,IP:2001:db8::7,URI:spiffe://a/b,"
                                               "email:a@example.com"}),
              root.certificate()};
    *agent_.admin.shown.mutable_identity() = DeviceIdentity();
    agent_.admin.shown.set_chain_pem(test::ToPem(chain_));
  }

  std::vector<test::Der> chain_;
};

TEST_F(OauthCommandsTest, MetadataNamesTheClientByOneOfFiveFields) {
  const struct {
    std::vector<std::string> option;
    const char* field;
    const char* value;
  } kCases[] = {
      {{"--subject-dn"}, "tls_client_auth_subject_dn", "CN=laptop"},
      {{"--san-dns", "laptop.example"}, "tls_client_auth_san_dns", "laptop.example"},
      {{"--san-uri", "spiffe://a/b"}, "tls_client_auth_san_uri", "spiffe://a/b"},
      {{"--san-ip", "2001:db8:0:0::7"}, "tls_client_auth_san_ip", "2001:db8::7"},
      {{"--san-email", "a@example.com"}, "tls_client_auth_san_email", "a@example.com"},
  };
  for (const auto& of : kCases) {
    std::vector<std::string> line = {"oauth", "metadata", "laptop"};
    line.insert(line.end(), of.option.begin(), of.option.end());
    const Outcome run = RunCommand(line);
    EXPECT_EQ(run.exit_code, 0) << run.err;
    EXPECT_EQ(run.json(), nlohmann::json({{"token_endpoint_auth_method", "tls_client_auth"},
                                          {of.field, of.value},
                                          {"tls_client_certificate_bound_access_tokens", true}}));
  }
  EXPECT_EQ(agent_.admin.show_request.name(), "laptop");
}

TEST_F(OauthCommandsTest, MetadataRefusesNoneAndTwoNames) {
  const Outcome none = RunCommand({"oauth", "metadata", "laptop"});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.err, HasSubstr("exactly one name"));
  EXPECT_THAT(none.err, HasSubstr("tls_client_auth_san_dns \"laptop.example\""));
  EXPECT_THAT(none.err, HasSubstr("signet oauth metadata --help"));
  const Outcome two =
      RunCommand({"oauth", "metadata", "laptop", "--subject-dn", "--san-dns", "laptop.example"});
  EXPECT_EQ(two.exit_code, 2);
  EXPECT_THAT(two.err, HasSubstr("exactly one name"));
}

TEST_F(OauthCommandsTest, MetadataRefusesANameThatIsNotInTheCertificate) {
  const Outcome run = RunCommand({"oauth", "metadata", "laptop", "--san-dns", "other.example"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("\"other.example\" is not in the certificate"));
}

TEST_F(OauthCommandsTest, SelfSignedMetadataCarriesTheCertificateAndTakesNoName) {
  const std::vector<std::string> line = {"oauth", "metadata", "laptop", "--method",
                                         "self_signed_tls_client_auth"};
  EXPECT_EQ(RunCommand(line).json(), nlohmann::json(*oauth::SelfSignedMetadata({chain_})));
  std::vector<std::string> with_name = line;
  with_name.push_back("--subject-dn");
  EXPECT_EQ(RunCommand(with_name).exit_code, 2);
}

TEST_F(OauthCommandsTest, JwksHoldsAKeyForEachIdentity) {
  const Outcome run = RunCommand({"oauth", "jwks", "laptop", "laptop"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  const nlohmann::json key = *oauth::ToJwk(chain_);
  EXPECT_EQ(run.json(), nlohmann::json({{"keys", {key, key}}}));
}

TEST_F(OauthCommandsTest, WhileTheCertificateChangesTheServerIsToldOfAll) {
  const auto next = test::SelfSigned(test::TestKey::Generate(test::TestKeyType::kP256));
  const auto previous = test::SelfSigned(test::TestKey::Generate(test::TestKeyType::kP256));
  agent_.admin.shown.set_next_chain_pem(test::ToPem({next}));
  agent_.admin.shown.set_previous_chain_pem(test::ToPem({previous}));
  const nlohmann::json all = *oauth::ToJwkSet({chain_, {next}, {previous}});
  EXPECT_EQ(RunCommand({"oauth", "jwks", "laptop"}).json(), all);
  EXPECT_EQ(RunCommand({"oauth", "metadata", "laptop", "--method", "self_signed_tls_client_auth"})
                .json()["jwks"],
            all);
  EXPECT_EQ(RunCommand({"oauth", "thumbprint", "laptop"}).out, oauth::Thumbprint(chain_[0]) + "\n");
}

TEST_F(OauthCommandsTest, ThumbprintIsThatOfTheLeaf) {
  EXPECT_EQ(RunCommand({"oauth", "thumbprint", "laptop"}).out, oauth::Thumbprint(chain_[0]) + "\n");
  EXPECT_EQ(RunCommand({"oauth", "thumbprint", "laptop", "--json"}).json(),
            nlohmann::json({{"x5t#S256", oauth::Thumbprint(chain_[0])}}));
}

TEST_F(OauthCommandsTest, WithoutACertificateSaysWhatToDo) {
  agent_.admin.shown.clear_chain_pem();
  const Outcome run = RunCommand({"oauth", "thumbprint", "laptop"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, HasSubstr("import one with: signet identity import"));
}

// No server is there to be asked.
TEST_F(OauthCommandsTest, ATokenIsAskedForOnlyWhenItCanBeKept) {
  const std::string none = agent_.folder() + "/none/file";
  const auto run = [&](const std::string& grant, const std::string& option) {
    return RunCommand({"oauth", "token", "laptop", "--issuer", "https://[::1]:1", "--client-id",
                       "x", "--grant", grant, option, none});
  };
  const std::string said =
      "signet: file " + none + ": create: No such file or directory; name another file";
  for (const std::string option : {"--out", "--refresh-token-file"}) {
    const Outcome refused = run("device_code", option);
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_EQ(refused.err, said + "\n");
  }
  EXPECT_EQ(run("refresh_token", "--refresh-token-file").err,
            said + ", or give the refresh token by standard input: --refresh-token-file -\n");
}

TEST_F(OauthCommandsTest, TwoTokensNeedTwoFiles) {
  const std::string file = WriteFile("refresh", "secret"), link = agent_.folder() + "/link";
  std::filesystem::create_symlink("refresh", link);
  for (const std::string& out : {file, link}) {
    const Outcome run =
        RunCommand({"oauth", "token", "laptop", "--issuer", "https://[::1]:1", "--client-id", "x",
                    "--grant", "refresh_token", "--refresh-token-file", file, "--out", out});
    EXPECT_EQ(run.exit_code, 2) << run.err;
    EXPECT_THAT(run.err, HasSubstr("; name two"));
    EXPECT_EQ(ReadFile(file), "secret");
  }
}

}  // namespace
}  // namespace signet::cli
