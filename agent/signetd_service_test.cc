// signetd under a service manager: reload, watchdog, sockets that it is given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "agent/signetd_process.h"
#include "ipc/transport/unix_listener.h"

namespace signet::agent {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// What signetd_probe prints, run as this uid.
std::string Probe(std::vector<std::string> arguments, uid_t uid = geteuid()) {
  return Program(SIGNETD_PROBE_PROGRAM, std::move(arguments), uid).Wait().output;
}

// Its last word to the service manager about it.
std::string Reload(Signetd& agent, const std::string& configuration) {
  std::ofstream(agent.folder() / "signet.toml") << configuration;
  agent.program->Signal(SIGHUP);
  EXPECT_THAT(agent.notifications().Next(), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  return agent.notifications().Next();
}

std::string Admitting(uid_t uid) {
  return "[access]\nuse = [" + std::to_string(geteuid()) + ", " + std::to_string(uid) + "]\n" +
         kTrial;
}

TEST(SignetdReload, WhoIsAdmittedChangesAtOnce) {
  if (geteuid() != 0) GTEST_SKIP() << "becoming another uid takes root";
  Signetd agent(Admitting(4711));
  EXPECT_THAT(Probe({"use", agent.agent_socket()}, 4711), StartsWith("ok"));
  EXPECT_THAT(Reload(agent, Admitting(4712)), AllOf(StartsWith("READY=1\nSTATUS=read again: ")));
  EXPECT_THAT(Probe({"use", agent.agent_socket()}, 4711), StartsWith("ERROR_CODE_ACCESS"));
  EXPECT_THAT(Probe({"use", agent.agent_socket()}, 4712), StartsWith("ok"));
}

TEST(SignetdReload, WhatIsNotUnderstoodChangesNothing) {
  if (geteuid() != 0) GTEST_SKIP() << "becoming another uid takes root";
  Signetd agent(Admitting(4711));
  EXPECT_THAT(Reload(agent, Admitting(4712) + "colour = \"red\"\n"),
              AllOf(StartsWith("READY=1\nSTATUS=the configuration stays as it was: "),
                    HasSubstr("signet.toml:"), HasSubstr("colour")));
  EXPECT_THAT(Probe({"use", agent.agent_socket()}, 4711), StartsWith("ok"));
  EXPECT_THAT(Probe({"use", agent.agent_socket()}, 4712), StartsWith("ERROR_CODE_ACCESS"));
  // And the next good one is taken.
  EXPECT_THAT(Reload(agent, Admitting(4712)), HasSubstr("read again"));
  EXPECT_THAT(Probe({"use", agent.agent_socket()}, 4712), StartsWith("ok"));
}

TEST(SignetdReload, DropInsAreReadAgainToo) {
  if (geteuid() != 0) GTEST_SKIP() << "becoming another uid takes root";
  Signetd agent(Admitting(4711));
  fs::create_directory(agent.folder() / "conf.d");
  const auto write = [&](const std::string& text) {
    std::ofstream(agent.folder() / "conf.d/10-site.toml") << text;
  };
  write("[access]\nuse = [4712]\n");
  EXPECT_THAT(Reload(agent, Admitting(4711)), HasSubstr("read again"));
  EXPECT_THAT(Probe({"use", agent.agent_socket()}, 4711), StartsWith("ERROR_CODE_ACCESS"));
  EXPECT_THAT(Probe({"use", agent.agent_socket()}, 4712), StartsWith("ok"));
  write("[access]\nuse = [4711]\ncolour = \"red\"\n");
  EXPECT_THAT(Reload(agent, Admitting(4711)),
              AllOf(HasSubstr("stays as it was"), HasSubstr("conf.d/10-site.toml:3:")));
  EXPECT_THAT(Probe({"use", agent.agent_socket()}, 4712), StartsWith("ok"));
  // A drop-in that is taken away again is no longer in force.
  fs::remove(agent.folder() / "conf.d/10-site.toml");
  EXPECT_THAT(Reload(agent, Admitting(4711)), HasSubstr("read again"));
  EXPECT_THAT(Probe({"use", agent.agent_socket()}, 4711), StartsWith("ok"));
}

TEST(SignetdReload, BackendsAndDoorsTakeARestart) {
  Signetd agent;
  EXPECT_THAT(Reload(agent, ""), AllOf(HasSubstr("the backends changed"), HasSubstr("restart")));
  EXPECT_THAT(Reload(agent, std::string(kTrial) + "[requests]\naccept = [\"bare\"]\n"),
              AllOf(HasSubstr("[requests] changed"), HasSubstr("restart")));
  EXPECT_THAT(Reload(agent, Admitting(4711)), AllOf(HasSubstr("[access]"), HasSubstr("restart")));
  EXPECT_THAT(Reload(agent, kTrial), HasSubstr("read again"));
}

TEST(SignetdReload, AnAgentThatIsStoppingDoesNot) {
  Signetd agent;
  agent.program->Signal(SIGTERM);
  agent.program->Signal(SIGHUP);
  EXPECT_EQ(agent.program->Wait().code, 0);
}

TEST(SignetdWatchdog, IsToldAsLongAsTheLoopTurns) {
  setenv("WATCHDOG_USEC", "100000", 1);
  Signetd agent;
  unsetenv("WATCHDOG_USEC");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(agent.notifications().Next(), "WATCHDOG=1");
  agent.program->Signal(SIGSTOP);
  int status = 0;
  waitpid(agent.program->pid(), &status, WUNTRACED);
  ASSERT_TRUE(WIFSTOPPED(status));
  agent.notifications().Drain();
  EXPECT_TRUE(agent.notifications().Silent(300));
  agent.program->Signal(SIGCONT);
  EXPECT_EQ(agent.notifications().Next(), "WATCHDOG=1");
}

TEST(SignetdActivation, ServesOnTheSocketsThatItIsGivenAndLeavesThem) {
  const Folder folder;
  Notifications notifications(folder / "notify");
  auto agent_socket = ipc::UnixListener::Listen(folder / "a", 0600);
  auto grpc_socket = ipc::UnixListener::Listen(folder / "g", 0600);
  ASSERT_TRUE(agent_socket.ok() && grpc_socket.ok());
  Program program = Start(
      folder, kTrial, geteuid(), notifications.path(),
      {{"grpc.sock", grpc_socket->native_handle()}, {"agent.sock", agent_socket->native_handle()}});
  ASSERT_EQ(notifications.Next(), "READY=1");
  EXPECT_THAT(Probe({"use", folder / "a"}), StartsWith("ok"));
  EXPECT_THAT(Probe({"admin", folder / "g"}), StartsWith("ok"));
  EXPECT_FALSE(fs::exists(folder / "run/agent.sock"));
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait().code, 0);
  EXPECT_TRUE(fs::exists(folder / "a"));
  EXPECT_TRUE(fs::exists(folder / "g"));
}

TEST(SignetdActivation, MakesTheOtherSocketItself) {
  const Folder folder;
  Notifications notifications(folder / "notify");
  auto agent_socket = ipc::UnixListener::Listen(folder / "a", 0600);
  ASSERT_TRUE(agent_socket.ok());
  Program program = Start(folder, kTrial, geteuid(), notifications.path(),
                          {{"agent.sock", agent_socket->native_handle()}});
  ASSERT_EQ(notifications.Next(), "READY=1");
  EXPECT_THAT(Probe({"use", folder / "a"}), StartsWith("ok"));
  EXPECT_THAT(Probe({"admin", folder / "run/grpc.sock"}), StartsWith("ok"));
}

TEST(SignetdActivation, RefusesSocketsThatItDoesNotKnow) {
  const Folder folder;
  auto listener = ipc::UnixListener::Listen(folder / "a", 0600);
  ASSERT_TRUE(listener.ok());
  const Program::End other =
      Start(folder, kTrial, geteuid(), "", {{"http", listener->native_handle()}}).Wait();
  EXPECT_EQ(other.code, 1);
  EXPECT_THAT(other.output, AllOf(HasSubstr("\"http\""), HasSubstr("FileDescriptorName=")));
  const ipc::Descriptor datagram(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const Program::End kind =
      Start(folder, kTrial, geteuid(), "", {{"agent.sock", datagram.get()}}).Wait();
  EXPECT_EQ(kind.code, 1);
  EXPECT_THAT(kind.output, HasSubstr("no stream socket"));
}

}  // namespace
}  // namespace signet::agent
