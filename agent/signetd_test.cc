// signetd as a process: its options, configuration, folders, end, access and hardening.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/signetd_process.h"

namespace signet::agent {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr uid_t kNobody = 65534;

Program::End RunToEnd(const Folder& folder, const std::string& configuration) {
  return Start(folder, configuration).Wait();
}

// What signetd_probe prints, run as this uid.
std::string Probe(std::vector<std::string> arguments, uid_t uid) {
  return Program(SIGNETD_PROBE_PROGRAM, std::move(arguments), uid).Wait().output;
}

std::string ReadFile(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

mode_t Mode(const fs::path& path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

TEST(SignetdOptions, HelpAndVersionSucceed) {
  const Program::End help = Program(SIGNETD_PROGRAM, {"--help"}).Wait();
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.output, AllOf(HasSubstr("--config"), HasSubstr("--runtime-dir"),
                                 HasSubstr("--state-dir"), HasSubstr("78")));
  const Program::End version = Program(SIGNETD_PROGRAM, {"--version"}).Wait();
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.output, StartsWith("signetd "));
}

TEST(SignetdOptions, UsageErrorIsTwo) {
  const Program::End end = Program(SIGNETD_PROGRAM, {"--no-such-option"}).Wait();
  EXPECT_EQ(end.code, 2);
  EXPECT_THAT(end.output, HasSubstr("--no-such-option"));
}

TEST(SignetdConfiguration, OneThatIsNotUnderstoodIsRefusedWhole) {
  const std::pair<const char*, const char*> cases[] = {
      {"not toml", "signet.toml:1"},
      {"[[backend]]\nname = \"a\"\ntype = \"abacus\"\n", "abacus"},
      {"[[backend]]\nname = \"a\"\ntype = \"software\"\ncolour = \"red\"\n", "colour"},
      {"[access]\nuse = [\"no-such-user-here\"]\n", "no-such-user-here"},
      {"[[rule]]\norigin = \"nowhere\"\nidentity = \"*\"\ndecision = \"allow\"\n", "nowhere"},
  };
  for (const auto& [text, named] : cases) {
    Folder folder;
    const Program::End end = RunToEnd(folder, text);
    EXPECT_EQ(end.code, 78) << text;
    EXPECT_THAT(end.output, AllOf(StartsWith("signetd: "), HasSubstr(named)));
    EXPECT_FALSE(fs::exists(folder / "state")) << "nothing is touched before it is understood";
  }
}

TEST(SignetdConfiguration, OneThatIsNotThereIsNamed) {
  Folder folder;
  const Program::End end =
      Program(SIGNETD_PROGRAM, {"--config", folder / "none.toml", "--runtime-dir", folder / "run",
                                "--state-dir", folder / "state"})
          .Wait();
  EXPECT_EQ(end.code, 78);
  EXPECT_THAT(end.output, HasSubstr("none.toml"));
}

TEST(SignetdConfiguration, AddedRulesThatAreBrokenAreRefusedToo) {
  Folder folder;
  fs::create_directory(folder / "state");
  chmod((folder / "state").c_str(), 0700);
  std::ofstream(folder / "state/policy.toml") << "broken";
  const Program::End end = RunToEnd(folder, "");
  EXPECT_EQ(end.code, 78);
  EXPECT_THAT(end.output, HasSubstr("policy.toml"));
}

TEST(SignetdFolders, ArePrivateAndSoAreTheSockets) {
  const Signetd agent("");
  EXPECT_EQ(Mode(agent.folder() / "run"), 0700u);
  EXPECT_EQ(Mode(agent.folder() / "state"), 0700u);
  EXPECT_EQ(Mode(agent.agent_socket()), 0600u);
  EXPECT_EQ(Mode(agent.grpc_socket()), 0600u);
}

TEST(SignetdFolders, LetInWhomAccessNames) {
  const Signetd agent(absl::StrCat("[access]\nuse = [", geteuid(), ", 4711]\n"));
  EXPECT_EQ(Mode(agent.folder() / "run"), 0755u);
  EXPECT_EQ(Mode(agent.folder() / "state"), 0700u);
  EXPECT_EQ(Mode(agent.agent_socket()), 0666u);
  EXPECT_EQ(Mode(agent.grpc_socket()), 0666u);
}

TEST(SignetdFolders, RefusesOneThatOthersMayWriteTo) {
  for (const char* name : {"state", "run"}) {
    Folder folder;
    fs::create_directory(folder / name);
    chmod((folder / name).c_str(), 0777);
    const Program::End end = RunToEnd(folder, "");
    EXPECT_EQ(end.code, 1);
    EXPECT_THAT(end.output, AllOf(HasSubstr((folder / name).native()), HasSubstr("write")));
  }
}

TEST(SignetdFolders, RefusesOneOfAnotherUid) {
  if (geteuid() != 0) GTEST_SKIP() << "giving a folder away takes root";
  Folder folder;
  fs::create_directory(folder / "state");
  ASSERT_EQ(chown((folder / "state").c_str(), kNobody, kNobody), 0);
  chmod((folder / "state").c_str(), 0700);
  const Program::End end = RunToEnd(folder, "");
  EXPECT_EQ(end.code, 1);
  EXPECT_THAT(end.output, HasSubstr(absl::StrCat("belongs to uid ", kNobody)));
}

TEST(SignetdFolders, TwoAgentsCantShareAState) {
  const Signetd agent("");
  const Program::End second =
      Program(SIGNETD_PROGRAM, {"--config", agent.folder() / "signet.toml", "--runtime-dir",
                                agent.folder() / "run2", "--state-dir", agent.folder() / "state"})
          .Wait();
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.output, HasSubstr("another signetd"));
}

TEST(SignetdStop, EndsWellAndTidiesUp) {
  for (const int signal : {SIGTERM, SIGINT}) {
    Signetd agent;
    agent.program->Signal(signal);
    EXPECT_EQ(agent.notifications().Next(), "STOPPING=1");
    const Program::End end = agent.program->Wait();
    EXPECT_EQ(end.code, 0) << end.output;
    EXPECT_THAT(end.output, HasSubstr("signetd: stopped"));
    EXPECT_FALSE(fs::exists(agent.agent_socket()));
    EXPECT_FALSE(fs::exists(agent.grpc_socket()));
  }
}

TEST(SignetdStop, SocketsLeftByAKilledAgentAreReplaced) {
  Signetd agent("");
  agent.program->Signal(SIGKILL);
  agent.program->Wait();
  ASSERT_TRUE(fs::exists(agent.agent_socket()));
  Program again = Start(agent.folder(), "", geteuid(), agent.notifications().path());
  EXPECT_EQ(agent.notifications().Next(), "READY=1");
  EXPECT_THAT(Probe({"use", agent.agent_socket()}, geteuid()), StartsWith("ok"));
}

TEST(SignetdAccess, AnotherUidIsKeptOutByTheFileModes) {
  if (geteuid() != 0) GTEST_SKIP() << "becoming another uid takes root";
  const Signetd agent("");
  EXPECT_THAT(Probe({"use", agent.agent_socket()}, kNobody), StartsWith("none "));
  EXPECT_THAT(Probe({"admin", agent.grpc_socket()}, kNobody), StartsWith("none "));
  EXPECT_THAT(Probe({"use", agent.agent_socket()}, 0), StartsWith("ok"));
  EXPECT_THAT(Probe({"admin", agent.grpc_socket()}, 0), StartsWith("ok"));
}

TEST(SignetdAccess, AnotherUidIsRefusedByName) {
  if (geteuid() != 0) GTEST_SKIP() << "becoming another uid takes root";
  const Signetd agent("[access]\nuse = [0, 4711]\nadmin = [0]\n");
  EXPECT_THAT(Probe({"use", agent.agent_socket()}, kNobody),
              AllOf(StartsWith("ERROR_CODE_ACCESS"), HasSubstr("[access] use"),
                    HasSubstr(absl::StrCat("uid ", kNobody))));
  EXPECT_THAT(Probe({"admin", agent.grpc_socket()}, kNobody),
              AllOf(StartsWith("PERMISSION_DENIED"), HasSubstr("[access] admin"),
                    HasSubstr(absl::StrCat("uid ", kNobody))));
  EXPECT_THAT(Probe({"use", agent.agent_socket()}, 4711), StartsWith("ok"));
  EXPECT_THAT(Probe({"admin", agent.grpc_socket()}, 4711), StartsWith("PERMISSION_DENIED"));
}

TEST(SignetdHardening, NobodyTracesItOrReadsItsMemory) {
  // Root may trace anything, so the agent and who tries are somebody else.
  const uid_t uid = geteuid() == 0 ? kNobody : geteuid();
  Signetd agent("", uid);
  const std::string limits = ReadFile(absl::StrCat("/proc/", agent.program->pid(), "/limits"));
  EXPECT_THAT(limits, ::testing::ContainsRegex("Max core file size +0 +0 "));

  Program control("/bin/cat", {"/dev/zero"}, uid);  // fills its pipe and waits: an ordinary process
  const std::string words = absl::StrCat("/proc/", control.pid(), "/cmdline");
  while (!ReadFile(words).starts_with("/bin/cat")) sched_yield();  // once it is
  if (Probe({"trace", std::to_string(control.pid())}, uid) != "EFAULT attached\n") {
    GTEST_SKIP() << "this system lets nobody trace anything: no telling signetd apart";
  }
  EXPECT_EQ(Probe({"trace", std::to_string(agent.program->pid())}, uid), "EPERM EPERM\n");
}

}  // namespace
}  // namespace signet::agent
