#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>

#include "agent/cli/cli_fixture.h"

namespace signet::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPem[] = "-----BEGIN X-----\nAAAA\n-----END X-----\n";

class IdentityCommandsTest : public CliTest {
 protected:
  size_t FilesInFolder() const {
    size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(agent_.folder())) {
      files += entry.is_regular_file() ? 1 : 0;
    }
    return files;
  }
};

TEST_F(IdentityCommandsTest, ListsInATable) {
  *agent_.admin.identities.add_identities() = DeviceIdentity();
  *agent_.admin.identities.add_identities() = SoftwareIdentity();
  const Outcome run = RunCommand({"identity", "list"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.out,
            "NAME    KIND    BACKEND  ALGORITHM  KEY           USABLE  NOT AFTER             "
            "SUBJECT\n"
            "laptop  device  tpm      p256       hardware      yes     2030-01-02T03:04:05Z  "
            "CN=laptop\n"
            "trial   user    file     ed25519    NOT HARDWARE  no\n"
            "trial: no certificate; import one with: signet identity import\n");
}

// The exact shape that other tools rely on.
TEST_F(IdentityCommandsTest, ListsInJson) {
  *agent_.admin.identities.add_identities() = DeviceIdentity();
  *agent_.admin.identities.add_identities() = SoftwareIdentity();
  EXPECT_EQ(RunCommand({"identity", "list", "--json"}).json(), nlohmann::json::parse(R"({
    "identities": [
      {"name": "laptop", "kind": "device", "backend": "tpm", "algorithm": "p256", "hardware": true,
       "subject": "CN=laptop", "issuer": "CN=Trial CA", "not_after": "2030-01-02T03:04:05Z",
       "usable": true, "reason": "", "found": false},
      {"name": "trial", "kind": "user", "backend": "file", "algorithm": "ed25519",
       "hardware": false, "subject": "", "issuer": "", "not_after": "", "usable": false,
       "reason": "no certificate; import one with: signet identity import", "found": false}
    ]})"));
}

TEST_F(IdentityCommandsTest, AnEmptyListSaysWhatToDo) {
  EXPECT_THAT(RunCommand({"identity", "list"}).out, HasSubstr("signet identity create"));
}

TEST_F(IdentityCommandsTest, ListCommandsNoTerminal) {
  v1::Identity identity = DeviceIdentity();
  identity.set_subject("CN=\x1b]0;owned\x07");
  *agent_.admin.identities.add_identities() = identity;
  EXPECT_THAT(RunCommand({"identity", "list"}).out,
              AllOf(HasSubstr("CN=\\x1b]0;owned\\x07"), Not(HasSubstr("\x1b"))));
}

TEST_F(IdentityCommandsTest, ShowsOneWithItsChain) {
  v1::ShowIdentityResponse& shown = agent_.admin.shown;
  *shown.mutable_identity() = DeviceIdentity();
  shown.set_chain_pem(kPem);
  shown.set_public_key_pem("-----BEGIN PUBLIC KEY-----\n");
  shown.set_sha256("ab12");
  shown.set_serial("0F");
  shown.set_not_before("2020-01-02T03:04:05Z");
  const Outcome run = RunCommand({"identity", "show", "laptop"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(agent_.admin.show_request.name(), "laptop");
  EXPECT_THAT(run.out, AllOf(HasSubstr("key        p256 in tpm, hardware\n"),
                             HasSubstr("subject    CN=laptop\n"), HasSubstr("sha256     ab12\n"),
                             HasSubstr("usable     yes\n"), HasSubstr(kPem)));
  const nlohmann::json identity =
      RunCommand({"identity", "show", "laptop", "--json"}).json()["identity"];
  EXPECT_EQ(identity["name"], "laptop");
  EXPECT_EQ(identity["serial"], "0F");
  EXPECT_EQ(identity["sha256"], "ab12");
  EXPECT_EQ(identity["not_before"], "2020-01-02T03:04:05Z");
  EXPECT_EQ(identity["chain_pem"], kPem);
}

TEST_F(IdentityCommandsTest, ShowMarksAKeyThatWasFoundOnItsToken) {
  *agent_.admin.shown.mutable_identity() = DeviceIdentity();
  agent_.admin.shown.mutable_identity()->set_found(true);
  EXPECT_THAT(RunCommand({"identity", "show", "laptop"}).out,
              HasSubstr("key        p256 in tpm, hardware, found on its token\n"));
  EXPECT_EQ(RunCommand({"identity", "show", "laptop", "--json"}).json()["identity"]["found"], true);
}

TEST_F(IdentityCommandsTest, ShowMarksASoftwareKey) {
  *agent_.admin.shown.mutable_identity() = SoftwareIdentity();
  EXPECT_THAT(RunCommand({"identity", "show", "trial"}).out,
              AllOf(HasSubstr("ed25519 in file, NOT HARDWARE\n"),
                    HasSubstr("usable     no: no certificate;")));
}

// Names that are also words of the command line.
TEST_F(IdentityCommandsTest, ShowsIdentitiesOfAnyName) {
  for (const std::string name : {"list", "status", "identity", "--", "-x"}) {
    std::vector<std::string> arguments = {"identity", "show"};
    if (name.starts_with('-')) arguments.push_back("--");
    arguments.push_back(name);
    EXPECT_EQ(RunCommand(arguments).exit_code, 0) << name;
    EXPECT_EQ(agent_.admin.show_request.name(), name);
  }
}

TEST_F(IdentityCommandsTest, CreatesAKey) {
  agent_.admin.identity = DeviceIdentity();
  const Outcome run = RunCommand({"identity", "create", "laptop", "--backend", "tpm", "--kind",
                                  "device", "--algorithm", "rsa2048"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  const v1::CreateIdentityRequest& request = agent_.admin.create_request;
  EXPECT_EQ(request.name(), "laptop");
  EXPECT_EQ(request.backend(), "tpm");
  EXPECT_EQ(request.kind(), v1::IDENTITY_KIND_DEVICE);
  EXPECT_EQ(request.algorithm(), "rsa2048");
  EXPECT_THAT(run.out, AllOf(HasSubstr("laptop: p256 key made in tpm, hardware;"),
                             HasSubstr("signet identity csr laptop --subject")));
  EXPECT_EQ(run.err, "");  // no progress where nobody looks
  EXPECT_EQ(
      RunCommand({"identity", "create", "laptop", "--backend", "tpm", "--kind", "user", "--json"})
          .json()["identity"]["name"],
      "laptop");
  EXPECT_EQ(agent_.admin.create_request.algorithm(), "p256");
  EXPECT_EQ(agent_.admin.create_request.kind(), v1::IDENTITY_KIND_USER);
}

TEST_F(IdentityCommandsTest, CreatingASoftwareKeySaysSo) {
  agent_.admin.identity = SoftwareIdentity();
  EXPECT_THAT(
      RunCommand({"identity", "create", "trial", "--backend", "file", "--kind", "user"}).out,
      HasSubstr("made in file, NOT HARDWARE"));
}

// The answer is held back until the line was shown.
TEST_F(IdentityCommandsTest, ShowsProgressOnATerminal) {
  class Screen : public std::stringbuf {
   public:
    int sync() override {
      const std::lock_guard lock(mutex);
      shown = true;
      condition.notify_all();
      return 0;
    }
    std::mutex mutex;
    std::condition_variable condition;
    bool shown = false;
  } screen;
  agent_.admin.before_answer = [&] {
    std::unique_lock lock(screen.mutex);
    screen.condition.wait(lock, [&] { return screen.shown; });
  };
  std::ostringstream out;
  std::ostream err(&screen);
  Console console{-1, out, err, true};
  EXPECT_EQ(RunCli({"identity", "create", "x", "--backend", "tpm", "--kind", "user", "--agent",
                    agent_.socket()},
                   console),
            0);
  EXPECT_THAT(screen.str(), AllOf(HasSubstr("making the p256 key in tpm ... 0 s"),
                                  ::testing::EndsWith("\r\033[K")));
}

TEST_F(IdentityCommandsTest, PrintsARequest) {
  agent_.admin.csr = kPem;
  const Outcome run = RunCommand({"identity", "csr", "laptop", "--subject", "/CN=laptop", "--san",
                                  "DNS:a", "--san", "IP:::1"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out, kPem);
  EXPECT_EQ(agent_.admin.csr_request.name(), "laptop");
  EXPECT_EQ(agent_.admin.csr_request.subject(), "/CN=laptop");
  EXPECT_THAT(agent_.admin.csr_request.subject_alt_names(), ElementsAre("DNS:a", "IP:::1"));
  EXPECT_EQ(RunCommand({"identity", "csr", "laptop", "--subject", "/CN=x", "--json"}).json(),
            (nlohmann::json{{"csr_pem", kPem}}));
}

TEST_F(IdentityCommandsTest, WritesARequestIntoAFile) {
  agent_.admin.csr = kPem;
  const std::string path = WriteFile("laptop.csr", "an older and longer request than the new one");
  const Outcome run =
      RunCommand({"identity", "csr", "laptop", "--subject", "/CN=x", "--out", path, "--json"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.json(), (nlohmann::json{{"file", path}}));
  EXPECT_EQ(ReadFile(path), kPem);
  EXPECT_EQ(FilesInFolder(), 1u);  // no temporary file is left

  std::filesystem::create_symlink(path, agent_.folder() + "/link.csr");
  agent_.admin.csr = "new\n";
  const Outcome through_link = RunCommand(
      {"identity", "csr", "laptop", "--subject", "/CN=x", "--out", agent_.folder() + "/link.csr"});
  EXPECT_EQ(through_link.exit_code, 0) << through_link.err;
  EXPECT_EQ(ReadFile(path), "new\n");
  EXPECT_TRUE(std::filesystem::is_symlink(agent_.folder() + "/link.csr"));
}

TEST_F(IdentityCommandsTest, ReplacesNothingButRegularFiles) {
  agent_.admin.csr = kPem;
  const std::string folder = agent_.folder();
  ASSERT_EQ(mkfifo((folder + "/fifo").c_str(), 0600), 0);
  for (const std::string& path :
       {folder, folder + "/fifo", folder + "/agent.sock", folder + "/none/x.csr"}) {
    const Outcome run = RunCommand({"identity", "csr", "x", "--subject", "/CN=x", "--out", path});
    EXPECT_EQ(run.exit_code, 1) << path;
    EXPECT_THAT(run.err, AllOf(HasSubstr(path), HasSubstr("; name another file\n")));
    EXPECT_EQ(run.out, "");
  }
  EXPECT_TRUE(std::filesystem::is_fifo(folder + "/fifo"));
  EXPECT_TRUE(std::filesystem::is_socket(folder + "/agent.sock"));
  EXPECT_EQ(FilesInFolder(), 0u);
}

// A full disk, as far as this process can tell.
TEST_F(IdentityCommandsTest, AWriteThatFailsLeavesTheFileAsItWas) {
  agent_.admin.csr = kPem;
  const std::string path = WriteFile("laptop.csr", "old");
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  const rlimit nothing{0, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &nothing), 0);
  const Outcome run = RunCommand({"identity", "csr", "x", "--subject", "/CN=x", "--out", path});
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, handler);
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, HasSubstr("file " + path + ": write: File too large; name another file"));
  EXPECT_EQ(ReadFile(path), "old");
  EXPECT_EQ(FilesInFolder(), 1u);
}

TEST_F(IdentityCommandsTest, ImportsAChain) {
  agent_.admin.identity = DeviceIdentity();
  const std::string chain = WriteFile("chain.pem", kPem);
  const Outcome run = RunCommand({"identity", "import", "laptop", chain});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(agent_.admin.import_request.name(), "laptop");
  EXPECT_EQ(agent_.admin.import_request.chain_pem(), kPem);
  EXPECT_THAT(run.out, HasSubstr("subject    CN=laptop\n"));
  EXPECT_EQ(
      RunCommand({"identity", "import", "laptop", chain, "--json"}).json()["identity"]["name"],
      "laptop");
}

TEST_F(IdentityCommandsTest, LeavesItToTheAgentWhatIsAChain) {
  agent_.admin.identity = DeviceIdentity();
  const std::string der("\x30\x82\x01\x93\xff\x00", 6);
  RunCommand({"identity", "import", "laptop", WriteFile("chain.der", der)});
  EXPECT_EQ(agent_.admin.import_request.chain_pem(), der);
}

TEST_F(IdentityCommandsTest, PassesOnWhyAChainIsRefused) {
  agent_.admin.failure = {grpc::StatusCode::INVALID_ARGUMENT,
                          "identity \"laptop\": import: leaf is for another key; next"};
  const Outcome run = RunCommand({"identity", "import", "laptop", WriteFile("chain.pem", kPem)});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.err, "signet: identity \"laptop\": import: leaf is for another key; next\n");
}

TEST_F(IdentityCommandsTest, RefusesChainFilesThatItCantRead) {
  const std::string huge = WriteFile("huge.pem", std::string(256 * 1024 + 1, 'x'));
  for (const std::string& path : {agent_.folder() + "/none.pem", agent_.folder(), huge}) {
    const Outcome run = RunCommand({"identity", "import", "laptop", path});
    EXPECT_EQ(run.exit_code, 1) << path;
    EXPECT_THAT(run.err, AllOf(HasSubstr("file " + path), HasSubstr("; name the PEM file")));
  }
  EXPECT_EQ(agent_.admin.calls, 0);
}

TEST_F(IdentityCommandsTest, RemovesWithoutATerminalOnlyWhenTold) {
  const Outcome asked = RunCommand({"identity", "remove", "laptop"}, "y\n");
  EXPECT_EQ(asked.exit_code, 2);
  EXPECT_THAT(asked.err, HasSubstr("--yes"));
  EXPECT_EQ(agent_.admin.calls, 0);
  const Outcome told = RunCommand({"identity", "remove", "laptop", "--yes"});
  EXPECT_EQ(told.exit_code, 0) << told.err;
  EXPECT_EQ(told.out, "laptop: removed\n");
  EXPECT_EQ(agent_.admin.remove_request.name(), "laptop");
  EXPECT_FALSE(agent_.admin.remove_request.forget());
  EXPECT_EQ(RunCommand({"identity", "remove", "laptop", "--yes", "--forget"}).exit_code, 0);
  EXPECT_TRUE(agent_.admin.remove_request.forget());
  EXPECT_EQ(RunCommand({"identity", "remove", "laptop", "--yes", "--json"}).json(),
            (nlohmann::json{{"removed", "laptop"}}));
}

}  // namespace
}  // namespace signet::cli
