// The real libsystemd, which reads cgroups and logind's files: here those of a mount namespace.
#include "agent/caller/session_place.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "agent/caller/login.h"
#include "agent/caller/test_process.h"

namespace signet::agent {
namespace {

using ::testing::HasSubstr;

std::string CgroupFile(const std::string& path) {
  return absl::StrCat("1:name=systemd:", path, "\n0::", path, "\n");
}

std::string RuntimeFolder() { return absl::StrCat("/run/user/", geteuid()); }

bool MakeSocket(const std::string& path) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

// A machine with systemd on which this process is alone.
bool MakeMachine() {
  mkdir("/run", 0755);
  if (!EnterMountNamespace() || mount("none", "/run", "tmpfs", 0, nullptr) != 0) return false;
  (void)mount("none", "/sys/fs/cgroup", "cgroup2", 0, nullptr);
  for (const std::string& folder :
       {std::string("/run/systemd"), std::string("/run/systemd/sessions"),
        std::string("/run/systemd/users"), std::string("/run/systemd/system"),
        std::string("/run/user"), RuntimeFolder()}) {
    if (mkdir(folder.c_str(), 0755) != 0) return false;
  }
  return WriteFile("/run/init-cgroup", CgroupFile("/init.scope")) &&
         mount("/run/init-cgroup", "/proc/1/cgroup", nullptr, MS_BIND, nullptr) == 0;
}

struct Scene {
  std::string record;       // logind's, of session 3
  std::string cgroup = "";  // of the caller; empty: session 3's own
  bool (*prepare)() = [] { return true; };
};

std::string Told(const PromptPlace& place) {
  constexpr const char* kKinds[] = {"none: ", "x11 ", "wayland ", "terminal "};
  return absl::StrCat(kKinds[static_cast<int>(place.kind)], place.name,
                      place.xauthority.empty() ? "" : " ", place.xauthority, place.why_none);
}

std::string PlaceIn(const Scene& scene, const PromptsConfiguration& configured = {}) {
  const std::string user = absl::StrCat("/user.slice/user-", geteuid(), ".slice/");
  int said[2];
  EXPECT_EQ(pipe2(said, O_CLOEXEC), 0);
  TestProcess machine([&] {
    if (!MakeMachine() || !scene.prepare() ||
        !WriteFile(
            "/run/systemd/sessions/3",
            absl::StrCat("UID=", geteuid(), "\nCLASS=user\nREMOTE=0\nACTIVE=1\n", scene.record)) ||
        !WriteFile(absl::StrCat("/run/systemd/users/", geteuid()),
                   "STATE=active\nDISPLAY=3\nONLINE_SESSIONS=3\n")) {
      return false;
    }
    const pid_t process = fork();
    if (process == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) pause();
    }
    const std::string cgroup = scene.cgroup.empty() ? "session-3.scope" : scene.cgroup;
    if (!WriteFile("/run/cgroup", CgroupFile(user + cgroup)) ||
        mount("/run/cgroup", absl::StrCat("/proc/", process, "/cgroup").c_str(), nullptr, MS_BIND,
              nullptr) != 0) {
      return false;
    }
    Caller caller;
    caller.pid = process;
    caller.uid = geteuid();
    caller.login_session = LookUpLogin(process, geteuid()).session;
    const std::string told = Told(PlaceFor(caller, configured));
    const bool whole =
        write(said[1], told.data(), told.size()) == static_cast<ssize_t>(told.size());
    kill(process, SIGKILL);
    waitpid(process, nullptr, 0);
    return whole;
  });
  close(said[1]);
  const ipc::Descriptor answer(said[0]);
  if (!machine.went_well()) return "no machine";
  char text[1024];
  const ssize_t length = read(answer.get(), text, sizeof text);
  return length < 0 ? "" : std::string(text, static_cast<size_t>(length));
}

class SessionPlaceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!CanEnterMountNamespace()) GTEST_SKIP() << "needs a mount namespace of its own";
  }

  const std::string service_ = absl::StrCat("user@", geteuid(), ".service/app.slice/app-x.scope");
};

TEST_F(SessionPlaceTest, AnX11SessionHasItsDisplayOnRecord) {
  EXPECT_EQ(PlaceIn({.record = "TYPE=x11\nDISPLAY=:5\n"}), "x11 :5");
  EXPECT_EQ(PlaceIn({.record = "TYPE=x11\nDISPLAY=:5\n", .cgroup = service_}), "x11 :5")
      << "what the desktop started belongs to it";
  EXPECT_EQ(PlaceIn({.record = "TYPE=x11\nDISPLAY=:5\n",
                     .prepare =
                         [] {
                           return mkdir((RuntimeFolder() + "/gdm").c_str(), 0700) == 0 &&
                                  WriteFile(RuntimeFolder() + "/gdm/Xauthority", "key");
                         }}),
            "x11 :5 " + RuntimeFolder() + "/gdm/Xauthority");
  EXPECT_THAT(PlaceIn({.record = "TYPE=x11\nDISPLAY=evil.example:0\n"}),
              HasSubstr("none: its display is not of this machine"));
}

TEST_F(SessionPlaceTest, AWaylandSessionHasASocketOfItsUser) {
  EXPECT_THAT(PlaceIn({.record = "TYPE=wayland\n"}), HasSubstr("no Wayland socket"));
  EXPECT_EQ(PlaceIn({.record = "TYPE=wayland\n",
                     .prepare = [] { return MakeSocket(RuntimeFolder() + "/wayland-1"); }}),
            "wayland wayland-1");
  EXPECT_THAT(PlaceIn({.record = "TYPE=wayland\n",
                       .prepare = [] { return WriteFile(RuntimeFolder() + "/wayland-0", ""); }}),
              HasSubstr("no Wayland socket"));
}

class TerminalTest : public SessionPlaceTest {
 protected:
  void SetUp() override {
    SessionPlaceTest::SetUp();
    if (IsSkipped()) return;
    terminal_ = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal_ < 0 || grantpt(terminal_) != 0 || unlockpt(terminal_) != 0) {
      GTEST_SKIP() << "needs a terminal";
    }
    device_ = ptsname(terminal_);
    record_ = "TYPE=tty\nTTY=" + device_.substr(std::string("/dev/").size()) + "\n";
  }
  void TearDown() override {
    if (terminal_ >= 0) close(terminal_);
  }

  int terminal_ = -1;
  std::string device_, record_;
};

TEST_F(TerminalTest, ASessionWithoutADisplayHasItsTerminal) {
  EXPECT_EQ(PlaceIn({.record = record_}), "terminal " + device_);
  EXPECT_THAT(PlaceIn({.record = "TYPE=tty\n"}), HasSubstr("neither a display nor a terminal"));
}

TEST_F(TerminalTest, AProcessOutsideOfTheSessionDoesNotGetItsTerminal) {
  EXPECT_THAT(PlaceIn({.record = record_, .cgroup = service_}),
              HasSubstr("none: the program runs outside of the user's login sessions"));
}

TEST_F(TerminalTest, ATerminalOfAnotherUserGrantsNothing) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_EQ(chown(device_.c_str(), 1, static_cast<gid_t>(-1)), 0);
  EXPECT_THAT(PlaceIn({.record = record_}), HasSubstr("is not the user's own"));
}

TEST_F(TerminalTest, OnlyADeviceIsATerminal) {
  EXPECT_THAT(PlaceIn({.record = "TYPE=tty\nTTY=../run/cgroup\n"}), HasSubstr("none: "));
  EXPECT_THAT(PlaceIn({.record = "TYPE=tty\nTTY=/dev/null\n"}), HasSubstr("none: "));
  EXPECT_THAT(PlaceIn({.record = "TYPE=tty\nTTY=shm\n"}), HasSubstr("is not the user's own"));
}

TEST_F(TerminalTest, AConfiguredPlaceIsForProgramsWithoutASession) {
  const PromptsConfiguration display{.display = ":9", .xauthority = "/x", .tty = ""};
  const std::string service = "../backup.service";
  EXPECT_EQ(PlaceIn({.record = record_, .cgroup = service}, display), "x11 :9 /x");
  EXPECT_EQ(PlaceIn({.record = record_}, display), "terminal " + device_) << "the session's own";
  EXPECT_THAT(PlaceIn({.record = "TYPE=tty\n"}, display), HasSubstr("none: "));
  PromptsConfiguration off = display;
  off.enabled = false;
  EXPECT_THAT(PlaceIn({.record = record_}, off), HasSubstr("[prompts] in signet.toml forbids it"));
}

// No mount is needed where nobody is in a session.
TEST(ConfiguredPlace, IsOnlyForTheAgentsOwnUser) {
  Caller caller;
  caller.uid = geteuid();
  EXPECT_EQ(Told(PlaceFor(caller, {.display = ":9", .xauthority = "", .tty = ""})), "x11 :9");
  EXPECT_EQ(Told(PlaceFor(caller, {.display = "wayland-3", .xauthority = "", .tty = ""})),
            "wayland wayland-3");
  EXPECT_THAT(Told(PlaceFor(caller, {.display = "", .xauthority = "", .tty = "/dev/nothing"})),
              HasSubstr("is not the user's own"));
  EXPECT_THAT(Told(PlaceFor(caller, {})), HasSubstr("[prompts] in signet.toml(5)"));
  caller.uid = geteuid() + 1;
  EXPECT_THAT(Told(PlaceFor(caller, {.display = ":9", .xauthority = "", .tty = ""})),
              HasSubstr("none: the program is in no login session"));
}

}  // namespace
}  // namespace signet::agent
