// The command line itself, failures, and status.
#include "agent/cli/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <filesystem>
#include <thread>

#include "agent/cli/cli_fixture.h"
#include "ipc/transport/unix_address.h"

namespace signet::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(CliTest, EveryCommandHasHelpWithAnExample) {
  const std::vector<std::vector<std::string>> commands = {
      {},
      {"status"},
      {"caller"},
      {"token"},
      {"token", "list"},
      {"token", "unlock"},
      {"token", "lock"},
      {"identity"},
      {"identity", "list"},
      {"identity", "show"},
      {"identity", "create"},
      {"identity", "csr"},
      {"identity", "import"},
      {"identity", "remove"},
      {"policy"},
      {"policy", "list"},
      {"policy", "allow"},
      {"policy", "ask"},
      {"policy", "deny"},
  };
  for (std::vector<std::string> command : commands) {
    std::string path = "signet";
    for (const std::string& word : command) path += " " + word;
    command.push_back("--help");
    const Outcome run = RunCommand(command);
    EXPECT_EQ(run.exit_code, 0) << path;
    EXPECT_THAT(run.out, AllOf(HasSubstr("Usage: " + path), HasSubstr("Example:\n  " + path)));
    EXPECT_EQ(run.err, "") << path;
  }
  EXPECT_THAT(RunCommand({"--help"}).out, HasSubstr("Exit codes:\n  0  done\n"));
  EXPECT_EQ(agent_.admin.calls, 0);
}

TEST_F(CliTest, SaysItsVersion) {
  const Outcome run = RunCommand({"--version"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(run.out, MatchesRegex("signet [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(CliTest, RefusesWrongCommandLines) {
  const std::vector<std::vector<std::string>> lines = {
      {},
      {"bogus"},
      {"--bogus", "status"},
      {"status", "surplus"},
      {"token"},
      {"token", "unlock"},
      {"token", "lock", "card", "surplus"},
      {"identity"},
      {"identity", "show"},
      {"identity", "create", "x", "--backend", "b"},
      {"identity", "create", "x", "--kind", "user"},
      {"identity", "create", "x", "--backend", "b", "--kind", "robot"},
      {"identity", "create", "x", "--backend", "b", "--kind", "user", "--algorithm", "rsa1024"},
      {"identity", "csr", "x"},
      {"identity", "import", "x"},
      {"policy", "allow", "https://x"},
      {"policy", "allow", "--identity", "x"},
  };
  for (const auto& line : lines) {
    const Outcome run = RunCommand(line);
    EXPECT_EQ(run.exit_code, 2) << ::testing::PrintToString(line);
    EXPECT_THAT(run.err,
                AllOf(StartsWith("signet: "), HasSubstr("; see: signet"), HasSubstr("--help\n")));
    EXPECT_EQ(run.out, "");
  }
  EXPECT_EQ(agent_.admin.calls, 0);
}

TEST_F(CliTest, NamesTheCommandWhoseHelpHelps) {
  EXPECT_THAT(RunCommand({"identity", "create", "x"}).err,
              HasSubstr("; see: signet identity create --help"));
}

TEST_F(CliTest, ReportsAWrongCommandLineInJsonWhenAsked) {
  const Outcome run = RunCommand({"status", "surplus", "--json"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(run.json()["error"]["code"], "usage");
  EXPECT_THAT(run.json()["error"]["message"].get<std::string>(), HasSubstr("surplus"));
}

TEST_F(CliTest, UnderstandsGlobalOptionsBeforeAndAfterTheCommand) {
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"--json", "identity", "list"},
        std::vector<std::string>{"identity", "--json", "list"},
        std::vector<std::string>{"identity", "list", "--json"}}) {
    const Outcome run = RunCommand(line);
    EXPECT_EQ(run.exit_code, 0);
    EXPECT_EQ(run.json(), nlohmann::json::parse(R"({"identities":[]})"));
  }
  std::ostringstream out, err;
  Console console{-1, out, err};
  EXPECT_EQ(RunCli({"status", "--agent", agent_.socket()}, console), 0);
}

TEST_F(CliTest, SaysHowToStartAnAgentWhenThereIsNone) {
  for (const auto& line : {std::vector<std::string>{"status"},
                           std::vector<std::string>{"token", "unlock", "card", "--pin-stdin"}}) {
    std::ostringstream out, err;
    Console console{-1, out, err};
    std::vector<std::string> arguments = line;
    arguments.insert(arguments.end(), {"--agent", agent_.folder() + "/nobody/agent.sock"});
    EXPECT_EQ(RunCli(arguments, console), 3);
    EXPECT_EQ(out.str(), "");
    EXPECT_THAT(err.str(), AllOf(StartsWith("signet: no agent: "), HasSubstr("/nobody/"),
                                 HasSubstr("; start one: signetd ")));
  }
}

TEST_F(CliTest, RefusesTextThatIsNotUtf8) {
  for (const auto& line :
       {std::vector<std::string>{"identity", "csr", "laptop", "--subject", "/CN=Andr\xe9"},
        std::vector<std::string>{"token", "unlock", "c\xe4rd", "--pin-stdin"}}) {
    const Outcome run = RunCommand(line, "1234\n");
    EXPECT_EQ(run.exit_code, 2) << run.err;
    EXPECT_THAT(run.err, AllOf(StartsWith("signet: command line: "), HasSubstr("not UTF-8; ")));
  }
  EXPECT_EQ(agent_.admin.calls, 0);
}

TEST_F(CliTest, ShowsAsWhatTheAgentSeesTheCaller) {
  v1::CallerDescription& caller = agent_.agent.caller;
  caller.set_pid(1234);
  caller.set_uid(1000);
  caller.set_gid(100);
  caller.set_program("/usr/bin/signet");
  caller.set_unit("session-3.scope");
  caller.set_login_session("3");
  caller.set_session_type("ssh");
  caller.add_parents("bash");
  caller.add_parents("sshd");
  caller.set_command_line("signet caller");
  EXPECT_EQ(RunCommand({"caller"}).out,
            "program        /usr/bin/signet\n"
            "process        1234, uid 1000, gid 100\n"
            "unit           session-3.scope\n"
            "user unit      none\n"
            "login session  3, ssh\n"
            "sandbox        none\n"
            "started by     bash ← sshd\n"
            "command line   signet caller\n");
  EXPECT_FALSE(agent_.agent.caller_request.sha256());
  caller.set_sha256("abcd");
  const auto json = RunCommand({"caller", "--sha256", "--json"}).json();
  EXPECT_TRUE(agent_.agent.caller_request.sha256());
  EXPECT_EQ(json["parents"], (std::vector<std::string>{"bash", "sshd"}));
  EXPECT_EQ(json["session_type"], "ssh");
  EXPECT_EQ(json["sha256"], "abcd");
}

TEST_F(CliTest, TellsABrokenConnectionFromABrokenToken) {
  agent_.admin.failure = {grpc::StatusCode::UNAVAILABLE, "tpm: gone; plug it in"};
  const Outcome token = RunCommand({"status"});
  EXPECT_EQ(token.exit_code, 1);
  EXPECT_EQ(token.err, "signet: tpm: gone; plug it in\n");

  agent_.StopGrpc();
  WriteFile("grpc.sock", "");  // a file on which nobody listens
  EXPECT_EQ(RunCommand({"status"}).exit_code, 3);
}

TEST_F(CliTest, NamesAConnectionThatBreaksInMidCall) {
  agent_.StopGrpc();
  const std::string path = agent_.folder() + "/grpc.sock";
  std::filesystem::remove(path);
  const sockaddr_un address = *ipc::UnixAddress(path);
  const ipc::Descriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  std::thread server([&] {
    const ipc::Descriptor connection(accept(listener.get(), nullptr, nullptr));
    char byte;
    EXPECT_EQ(read(connection.get(), &byte, 1), 1);  // the call is under way
  });
  const Outcome run = RunCommand({"status"});
  server.join();
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_EQ(run.err, "signet: socket " + path +
                         ": the agent closed the connection; see its log, then try again\n");
}

TEST_F(CliTest, ExitCodesTellFailuresApart) {
  struct Case {
    grpc::StatusCode code;
    int exit_code;
    const char* name;
  };
  for (const Case& c : {
           Case{grpc::StatusCode::INVALID_ARGUMENT, 1, "failed"},
           Case{grpc::StatusCode::INTERNAL, 1, "failed"},
           Case{grpc::StatusCode::ALREADY_EXISTS, 1, "failed"},
           Case{grpc::StatusCode::PERMISSION_DENIED, 4, "access-denied"},
           Case{grpc::StatusCode::NOT_FOUND, 5, "not-found"},
           Case{grpc::StatusCode::FAILED_PRECONDITION, 7, "token-locked"},
           Case{grpc::StatusCode::RESOURCE_EXHAUSTED, 8, "busy"},
       }) {
    agent_.admin.failure = {c.code, "thing: what; next"};
    const Outcome plain = RunCommand({"identity", "list"});
    EXPECT_EQ(plain.exit_code, c.exit_code) << c.name;
    EXPECT_EQ(plain.err, "signet: thing: what; next\n");
    EXPECT_EQ(plain.out, "");
    const Outcome json = RunCommand({"identity", "list", "--json"});
    EXPECT_EQ(json.exit_code, c.exit_code) << c.name;
    EXPECT_EQ(json.err, "");
    EXPECT_EQ(json.json(),
              (nlohmann::json{{"error", {{"code", c.name}, {"message", "thing: what; next"}}}}));
  }
}

TEST_F(CliTest, ErrorsCommandNoTerminal) {
  agent_.admin.failure = {grpc::StatusCode::INTERNAL, "token \"\x1b[2J\": gone"};
  EXPECT_EQ(RunCommand({"status"}).err, "signet: token \"\\x1b[2J\": gone\n");
  const Outcome json = RunCommand({"status", "--json"});
  EXPECT_THAT(json.out, Not(HasSubstr("\x1b")));
  EXPECT_EQ(json.json()["error"]["message"], "token \"\x1b[2J\": gone");
}

class StatusCommandTest : public CliTest {
 protected:
  void SetUp() override {
    v1::StatusResponse& status = agent_.admin.status;
    status.set_version("0.1.0");
    status.set_pid(4711);
    status.set_config_file("/etc/signet/signet.toml");
    status.set_runtime_dir("/run/signet");
    status.set_state_dir("/var/lib/signet");
    status.set_identities(2);
    status.set_rules(3);
    v1::BackendStatus& card = *status.add_backends();
    card.set_name("card");
    card.set_type("pkcs11");
    card.set_state("locked");
    card.set_pid(4712);
    card.set_hardware(true);
    card.set_token("Al\x1b[1mice");
    card.set_next_step("unlock it with: signet token unlock card");
    card.set_restarts(1);
    card.set_pin_tries(v1::PIN_TRIES_FEW);
    v1::BackendStatus& trial = *status.add_backends();
    trial.set_name("trial");
    trial.set_type("software");
    trial.set_state("failed");
    trial.set_last_error("trial: start: no such folder");
    trial.set_next_step("make it");
    trial.set_restarts(3);
  }
};

TEST_F(StatusCommandTest, ShowsTheAgentAndItsBackends) {
  const Outcome run = RunCommand({"status"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(
      run.out,
      "signetd 0.1.0, pid 4711\n"
      "configuration  /etc/signet/signet.toml\n"
      "sockets        /run/signet\n"
      "state          /var/lib/signet\n"
      "identities     2\n"
      "rules          3\n"
      "\n"
      "BACKEND  TYPE      STATE   PROCESS        RESTARTS  KEYS          PIN TRIES  TOKEN\n"
      "card     pkcs11    locked  pid 4712       1         hardware      not all    Al\\x1b[1mice\n"
      "trial    software  failed  restarts soon  3         NOT HARDWARE  -\n"
      "card: unlock it with: signet token unlock card\n"
      "trial: start: no such folder; make it\n");
}

TEST_F(StatusCommandTest, ShowsTheSameInJson) {
  const nlohmann::json status = RunCommand({"status", "--json"}).json();
  EXPECT_EQ(status["version"], "0.1.0");
  EXPECT_EQ(status["pid"], 4711);
  EXPECT_EQ(status["config_file"], "/etc/signet/signet.toml");
  EXPECT_EQ(status["runtime_dir"], "/run/signet");
  EXPECT_EQ(status["state_dir"], "/var/lib/signet");
  EXPECT_EQ(status["identities"], 2);
  EXPECT_EQ(status["rules"], 3);
  EXPECT_EQ(status["backends"][0],
            (nlohmann::json{{"name", "card"},
                            {"type", "pkcs11"},
                            {"state", "locked"},
                            {"token", "Al\x1b[1mice"},
                            {"hardware", true},
                            {"pin_pad", false},
                            {"pin_tries", "few"},
                            {"tries_left", nullptr},
                            {"unlocked_until", ""},
                            {"pid", 4712},
                            {"restarts", 1},
                            {"last_error", ""},
                            {"next_step", "unlock it with: signet token unlock card"}}));
}

TEST_F(StatusCommandTest, TokenListShowsTheSameBackends) {
  const Outcome plain = RunCommand({"token", "list"});
  EXPECT_THAT(plain.out, StartsWith("BACKEND  TYPE      STATE   PROCESS "));
  const nlohmann::json json = RunCommand({"token", "list", "--json"}).json();
  EXPECT_EQ(json,
            (nlohmann::json{{"tokens", RunCommand({"status", "--json"}).json()["backends"]}}));
}

TEST_F(StatusCommandTest, ShowsHowLongATokenStaysUnlocked) {
  v1::BackendStatus& card = *agent_.admin.status.mutable_backends(0);
  card.set_unlocked_until("2026-11-21T14:03:20Z");
  EXPECT_THAT(RunCommand({"status"}).out,
              HasSubstr("\ncard: unlocked until 2026-11-21T14:03:20Z if nobody uses it\n"));
  EXPECT_EQ(RunCommand({"status", "--json"}).json()["backends"][0]["unlocked_until"],
            "2026-11-21T14:03:20Z");
}

TEST_F(StatusCommandTest, ShowsErrorAndNextStepApartWhereTheyComeAlone) {
  v1::BackendStatus& trial = *agent_.admin.status.mutable_backends(1);
  trial.clear_next_step();
  EXPECT_THAT(RunCommand({"status"}).out, HasSubstr("\ntrial: start: no such folder\n"));
  trial.clear_last_error();
  EXPECT_THAT(RunCommand({"status"}).out, Not(HasSubstr("trial:")));
}

TEST_F(StatusCommandTest, StatesHaveColoursWhereTheseAreWanted) {
  agent_.admin.status.add_backends()->set_state("ready");
  std::ostringstream out, err;
  Console console{-1, out, err, false, true};
  EXPECT_EQ(RunCli({"status", "--agent", agent_.socket()}, console), 0);
  EXPECT_THAT(out.str(), AllOf(HasSubstr("  \033[33mlocked\033[0m  pid 4712 "),
                               HasSubstr("  \033[31mfailed\033[0m  restarts soon "),
                               HasSubstr("  \033[32mready\033[0m   restarts soon "),
                               HasSubstr("\033[33mNOT HARDWARE\033[0m"),
                               HasSubstr("Al\\x1b[1mice")));  // the token has no say in it
  std::ostringstream json;
  Console other{-1, json, err, false, true};
  EXPECT_EQ(RunCli({"status", "--json", "--agent", agent_.socket()}, other), 0);
  EXPECT_THAT(json.str(), Not(HasSubstr("\033")));
}

TEST_F(CliTest, NamesTheCommandsThatThereAre) {
  struct Case {
    std::vector<std::string> line;
    const char* says;
  };
  for (const Case& c : {
           Case{{},
                "a command is missing; there are status, caller, token, identity, policy, audit, "
                "oauth; "
                "see: "},
           Case{{"bogus"}, "\"bogus\" is no command of signet; there are status, "},
           Case{{"token"},
                "a command is missing; there are list, unlock, lock; see: signet token "},
           Case{{"policy", "permit", "https://a.example"},
                "\"permit\" is no command of signet policy; there are list, explain, "},
       }) {
    EXPECT_THAT(RunCommand(c.line).err, StartsWith(std::string("signet: ") + c.says));
  }
}

TEST_F(CliTest, StatusWithoutBackendsSaysWhereToAddOne) {
  agent_.admin.status.set_config_file("/etc/signet/signet.toml");
  EXPECT_THAT(RunCommand({"status"}).out,
              HasSubstr("no backends; add a [[backend]] to /etc/signet/signet.toml\n"));
}

}  // namespace
}  // namespace signet::cli
