#include "agent/cli/certificate_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/cli/cli_fixture.h"

namespace signet::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class CertificateChangeTest : public CliTest {
 protected:
  static void Fill(v1::Certificate& certificate, const std::string& name) {
    certificate.set_subject("CN=" + name);
    certificate.set_issuer("CN=Trial CA");
    certificate.set_not_before("2029-01-02T03:04:05Z");
    certificate.set_not_after("2031-01-02T03:04:05Z");
    certificate.set_sha256("ab12");
  }
  static v1::Identity ChangingIdentity() {
    v1::Identity identity = DeviceIdentity();
    Fill(*identity.mutable_next(), "new\x1b");
    Fill(*identity.mutable_previous(), "old");
    return identity;
  }
  static constexpr char kNextLine[] =
      "next       CN=new\\x1b until 2031-01-02T03:04:05Z; waits for: signet identity switch "
      "laptop\n";
  static constexpr char kPreviousLine[] =
      "previous   CN=old until 2031-01-02T03:04:05Z; of use until: signet identity retire laptop\n";
};

TEST_F(CertificateChangeTest, ImportsTheNextOne) {
  agent_.admin.identity = ChangingIdentity();
  const std::string chain = WriteFile("chain.pem", "PEM");
  const Outcome run = RunCommand({"identity", "import", "laptop", chain, "--next"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_TRUE(agent_.admin.import_request.next());
  EXPECT_THAT(run.out, AllOf(HasSubstr(kNextLine), HasSubstr(kPreviousLine)));
  RunCommand({"identity", "import", "laptop", chain});
  EXPECT_FALSE(agent_.admin.import_request.next());
}

TEST_F(CertificateChangeTest, SwitchesAndBack) {
  agent_.admin.identity = ChangingIdentity();
  const Outcome run = RunCommand({"identity", "switch", "laptop"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(agent_.admin.switch_request.name(), "laptop");
  EXPECT_FALSE(agent_.admin.switch_request.back());
  EXPECT_THAT(run.out, AllOf(HasSubstr("subject    CN=laptop\n"), HasSubstr(kPreviousLine)));
  EXPECT_EQ(RunCommand({"identity", "switch", "laptop", "--back", "--json"})
                .json()["identity"]["previous"]["sha256"],
            "ab12");
  EXPECT_TRUE(agent_.admin.switch_request.back());
}

TEST_F(CertificateChangeTest, Retires) {
  agent_.admin.identity = DeviceIdentity();
  EXPECT_EQ(RunCommand({"identity", "retire", "laptop"}).exit_code, 0);
  EXPECT_EQ(agent_.admin.retire_request.name(), "laptop");
  agent_.admin.failure = {grpc::StatusCode::INVALID_ARGUMENT, "nothing to retire; next"};
  const Outcome run = RunCommand({"identity", "retire", "laptop"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.err, "signet: nothing to retire; next\n");
}

TEST_F(CertificateChangeTest, ListAndShowHaveAllThree) {
  *agent_.admin.identities.add_identities() = ChangingIdentity();
  EXPECT_THAT(RunCommand({"identity", "list"}).out,
              AllOf(HasSubstr(std::string("laptop: ") + kNextLine), HasSubstr("laptop: previous")));
  const auto listed = RunCommand({"identity", "list", "--json"}).json()["identities"][0];
  EXPECT_EQ(listed["previous"], nlohmann::json::parse(R"({
    "subject": "CN=old", "issuer": "CN=Trial CA", "not_before": "2029-01-02T03:04:05Z",
    "not_after": "2031-01-02T03:04:05Z", "sha256": "ab12"})"));
  *agent_.admin.shown.mutable_identity() = ChangingIdentity();
  agent_.admin.shown.set_next_chain_pem("NEXT");
  agent_.admin.shown.set_previous_chain_pem("PREVIOUS");
  EXPECT_THAT(RunCommand({"identity", "show", "laptop"}).out, HasSubstr(kNextLine));
  const auto shown = RunCommand({"identity", "show", "laptop", "--json"}).json()["identity"];
  EXPECT_EQ(shown["next"]["chain_pem"], "NEXT");
  EXPECT_EQ(shown["previous"]["chain_pem"], "PREVIOUS");
}

}  // namespace
}  // namespace signet::cli
