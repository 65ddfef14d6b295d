// For tests: signetd as it is shipped, a process of its own with real sockets and a folder that
// goes with the test.
#ifndef SIGNET_AGENT_SIGNETD_PROCESS_H_
#define SIGNET_AGENT_SIGNETD_PROCESS_H_

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ipc/transport/descriptor.h"
#include "ipc/transport/unix_address.h"

namespace signet::agent {

inline constexpr int kPatienceMs = 60'000;

// A folder that is gone at the end of the test.
class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "signetd.XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A program of ours as a child.
class Program {
 public:
  // `uid` may differ from ours only if we are root. NOTIFY_SOCKET is set when `notify` is not
  // empty. `passed` are descriptors by name, as in socket activation.
  Program(const char* program, std::vector<std::string> arguments, uid_t uid = geteuid(),
          const std::string& notify = "",
          const std::vector<std::pair<std::string, int>>& passed = {}) {
    int output[2];
    EXPECT_EQ(pipe2(output, O_CLOEXEC), 0);
    output_ = ipc::Descriptor(output[0]);
    // By descriptor: the other uid may not be able to walk the path to it.
    const ipc::Descriptor file(open(program, O_RDONLY | O_CLOEXEC));
    arguments.insert(arguments.begin(), program);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    for (const char* bus : {"DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS"}) {
      setenv(bus, "unix:path=/nonexistent", 1);  // not this machine's
    }
    if (notify.empty()) {
      unsetenv("NOTIFY_SOCKET");
    } else {
      setenv("NOTIFY_SOCKET", notify.c_str(), 1);
    }
    pid_ = fork();
    if (pid_ == 0) {
      dup2(output[1], 1);
      dup2(output[1], 2);
      if (uid != geteuid() &&
          (setgroups(0, nullptr) != 0 || setgid(uid) != 0 || setuid(uid) != 0 || chdir("/") != 0)) {
        _exit(126);
      }
      Pass(passed);
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // leaves with a test that is killed
      fexecve(file.get(), argv.data(), environ);
      _exit(127);
    }
    close(output[1]);
  }
  Program(Program&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), output_(std::move(other.output_)) {}
  ~Program() {
    if (pid_ < 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  pid_t pid() const { return pid_; }
  void Signal(int number) { kill(pid_, number); }

  struct End {
    int code;  // negative: the signal
    std::string output;
  };
  // Waits for its end.
  End Wait() {
    End end{};
    char buffer[4096];
    for (ssize_t count; (count = read(output_.get(), buffer, sizeof buffer)) > 0;) {
      end.output.append(buffer, static_cast<size_t>(count));
    }
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    pid_ = -1;
    end.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return end;
  }

 private:
  // In the child: all of ours are above the numbers that they get.
  static void Pass(const std::vector<std::pair<std::string, int>>& passed) {
    if (passed.empty()) return;
    std::string names;
    std::vector<int> moved;
    for (const auto& [name, fd] : passed) {
      names += (names.empty() ? "" : ":") + name;
      moved.push_back(fcntl(fd, F_DUPFD_CLOEXEC, 100));
    }
    for (size_t i = 0; i < moved.size(); ++i) dup2(moved[i], 3 + static_cast<int>(i));
    setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
    setenv("LISTEN_FDS", std::to_string(passed.size()).c_str(), 1);
    setenv("LISTEN_FDNAMES", names.c_str(), 1);
  }

  pid_t pid_ = -1;
  ipc::Descriptor output_;
};

// Hears what signetd tells systemd.
class Notifications {
 public:
  explicit Notifications(const std::filesystem::path& path) : path_(path) {
    socket_ = ipc::Descriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const sockaddr_un address = *ipc::UnixAddress(path);
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    chmod(path.c_str(), 0666);
  }
  std::string Next() {
    pollfd entry{socket_.get(), POLLIN, 0};
    char buffer[4096];
    if (poll(&entry, 1, kPatienceMs) != 1) return "nothing in time";
    const ssize_t count = read(socket_.get(), buffer, sizeof buffer);
    return std::string(buffer, static_cast<size_t>(std::max<ssize_t>(count, 0)));
  }
  // Does nothing come for so long?
  bool Silent(int ms) {
    pollfd entry{socket_.get(), POLLIN, 0};
    return poll(&entry, 1, ms) == 0;
  }
  // Takes what is there already.
  void Drain() {
    char buffer[4096];
    while (recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT) >= 0) {
    }
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  ipc::Descriptor socket_;
};

inline Program Start(const Folder& folder, const std::string& configuration, uid_t uid = geteuid(),
                     const std::string& notify = "",
                     const std::vector<std::pair<std::string, int>>& passed = {}) {
  std::ofstream(folder / "signet.toml") << configuration;
  return Program(SIGNETD_PROGRAM,
                 {"--config", folder / "signet.toml", "--runtime-dir", folder / "run",
                  "--state-dir", folder / "state"},
                 uid, notify, passed);
}

inline constexpr char kTrial[] = "[[backend]]\nname = \"trial\"\ntype = \"software\"\n";

// A signetd that has said it is ready.
class Signetd {
 public:
  explicit Signetd(const std::string& configuration = kTrial, uid_t uid = geteuid())
      : notifications_(folder_ / "notify") {
    EXPECT_EQ(chown(folder_.path().c_str(), uid, static_cast<gid_t>(-1)), 0);
    chmod(folder_.path().c_str(), 0755);
    program.emplace(Start(folder_, configuration, uid, notifications_.path()));
    EXPECT_EQ(notifications_.Next(), "READY=1");
  }
  const Folder& folder() const { return folder_; }
  std::filesystem::path agent_socket() const { return folder_ / "run/agent.sock"; }
  std::filesystem::path grpc_socket() const { return folder_ / "run/grpc.sock"; }
  Notifications& notifications() { return notifications_; }

 private:
  Folder folder_;
  Notifications notifications_;

 public:
  std::optional<Program> program;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_SIGNETD_PROCESS_H_
