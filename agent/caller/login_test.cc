// The real libsystemd, which reads cgroups and logind's files: here those of a mount namespace.
#include "agent/caller/login.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "agent/caller/test_process.h"

namespace signet::agent {
namespace {

constexpr char kDesktop[] = "CLASS=user\nTYPE=wayland\nREMOTE=0\nACTIVE=1\n";
constexpr char kSsh[] = "CLASS=user\nTYPE=tty\nREMOTE=1\nACTIVE=1\n";
constexpr char kCron[] = "CLASS=background\nTYPE=unspecified\nREMOTE=0\nACTIVE=1\n";

std::string Session(uid_t uid, const char* what) { return absl::StrCat("UID=", uid, "\n", what); }

// libsystemd takes the line of the hierarchy that the machine has.
std::string CgroupFile(const std::string& path) {
  return absl::StrCat("1:name=systemd:", path, "\n0::", path, "\n");
}

// A machine with systemd on which this process is alone: sessions 3 (desktop) and 4 (ssh) are of
// this user, 5 is cron's, 6 of another user.
bool MakeMachine(const std::string& users_sessions) {
  const uid_t uid = geteuid();
  mkdir("/run", 0755);
  // Where there is a cgroup file system already it does as well.
  if (!EnterMountNamespace() || mount("none", "/run", "tmpfs", 0, nullptr) != 0) return false;
  (void)mount("none", "/sys/fs/cgroup", "cgroup2", 0, nullptr);
  for (const char* folder : {"/run/systemd", "/run/systemd/sessions", "/run/systemd/users"}) {
    if (mkdir(folder, 0755) != 0) return false;
  }
  return WriteFile("/run/systemd/sessions/3", Session(uid, kDesktop)) &&
         WriteFile("/run/systemd/sessions/4", Session(uid, kSsh)) &&
         WriteFile("/run/systemd/sessions/5", Session(uid, kCron)) &&
         WriteFile("/run/systemd/sessions/6", Session(uid + 1, kDesktop)) &&
         WriteFile("/run/systemd/sessions/9", Session(uid, "CLASS=manager\nTYPE=unspecified\n")) &&
         WriteFile(
             absl::StrCat("/run/systemd/users/", uid),
             absl::StrCat("STATE=active\nDISPLAY=3\nONLINE_SESSIONS=", users_sessions, "\n")) &&
         WriteFile("/run/init-cgroup", CgroupFile("/init.scope")) &&
         mount("/run/init-cgroup", "/proc/1/cgroup", nullptr, MS_BIND, nullptr) == 0;
}

std::string Told(const LoginFacts& facts) {
  constexpr const char* kTypes[] = {"none", "local", "ssh"};
  return absl::StrCat("unit=", facts.unit, " user_unit=", facts.user_unit,
                      " session=", facts.session.id, "/",
                      kTypes[static_cast<int>(facts.session.type)]);
}

// What LookUpLogin says on that machine of a process in `cgroup`.
std::optional<std::string> LookUpIn(const std::string& cgroup,
                                    const std::string& users_sessions = "3 9",
                                    const char* sign_of_systemd = "/run/systemd/system") {
  int said[2];
  EXPECT_EQ(pipe2(said, O_CLOEXEC), 0);
  TestProcess machine([&] {
    if (!MakeMachine(users_sessions) || mkdir(sign_of_systemd, 0755) != 0) return false;
    const pid_t process = fork();
    if (process == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) pause();
    }
    if (!WriteFile("/run/cgroup", CgroupFile(cgroup)) ||
        mount("/run/cgroup", absl::StrCat("/proc/", process, "/cgroup").c_str(), nullptr, MS_BIND,
              nullptr) != 0) {
      return false;
    }
    const std::string told = Told(LookUpLogin(process, geteuid()));
    const bool whole =
        write(said[1], told.data(), told.size()) == static_cast<ssize_t>(told.size());
    kill(process, SIGKILL);
    waitpid(process, nullptr, 0);
    return whole;
  });
  close(said[1]);
  const ipc::Descriptor answer(said[0]);
  if (!machine.went_well()) return std::nullopt;
  char text[1024];
  const ssize_t length = read(answer.get(), text, sizeof text);
  return length < 0 ? std::nullopt : std::optional(std::string(text, static_cast<size_t>(length)));
}

class LoginTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!CanEnterMountNamespace()) GTEST_SKIP() << "needs a mount namespace of its own";
  }

  const std::string slice_ = absl::StrCat("/user.slice/user-", geteuid(), ".slice/");
  const std::string manager_ = absl::StrCat("user@", geteuid(), ".service");
};

TEST_F(LoginTest, AServiceHasAUnitAndNoSession) {
  EXPECT_EQ(LookUpIn("/system.slice/backup.service"),
            "unit=backup.service user_unit= session=/none");
}

TEST_F(LoginTest, AUsersServiceOfTheSameNameIsNotTheSystems) {
  EXPECT_EQ(LookUpIn(slice_ + manager_ + "/app.slice/backup.service"),
            "unit=" + manager_ + " user_unit=backup.service session=3/local");
}

TEST_F(LoginTest, ASessionIsLocalOrSsh) {
  EXPECT_EQ(LookUpIn(slice_ + "session-3.scope"),
            "unit=session-3.scope user_unit= session=3/local");
  EXPECT_EQ(LookUpIn(slice_ + "session-4.scope"), "unit=session-4.scope user_unit= session=4/ssh");
}

TEST_F(LoginTest, ASessionWithoutAPersonIsOfNoType) {
  EXPECT_EQ(LookUpIn(slice_ + "session-5.scope"), "unit=session-5.scope user_unit= session=5/none");
}

TEST_F(LoginTest, ASessionOfAnotherUserCountsForNothing) {
  EXPECT_EQ(LookUpIn(slice_ + "session-6.scope"), "unit=session-6.scope user_unit= session=/none");
}

TEST_F(LoginTest, ASessionThatLogindDoesNotKnowIsOfNoType) {
  EXPECT_EQ(LookUpIn(slice_ + "session-8.scope"), "unit=session-8.scope user_unit= session=/none");
}

TEST_F(LoginTest, WhoeverAlsoCameBySshMayBeEither) {
  EXPECT_EQ(LookUpIn(slice_ + manager_ + "/app.slice/app-x.scope", "3 4 9"),
            "unit=" + manager_ + " user_unit=app-x.scope session=3/none");
}

TEST_F(LoginTest, AProcessOfAnotherContainerHasNothing) {
  EXPECT_EQ(LookUpIn("/"), "unit= user_unit= session=/none");
}

TEST_F(LoginTest, WithoutSystemdAllIsEmpty) {
  EXPECT_EQ(LookUpIn("/system.slice/backup.service", "3", "/run/no-systemd"),
            "unit= user_unit= session=/none");
}

TEST(Login, AProcessThatIsGoneHasNothing) {
  EXPECT_EQ(Told(LookUpLogin(-1, 0)), "unit= user_unit= session=/none");
  EXPECT_EQ(Told(LookUpLogin(0x7fffffff, 0)), "unit= user_unit= session=/none");
}

}  // namespace
}  // namespace signet::agent
