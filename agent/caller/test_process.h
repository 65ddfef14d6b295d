// For this folder's tests: a process that stands still, to be looked at, in a mount namespace of
// its own if need be.
#ifndef SIGNET_AGENT_CALLER_TEST_PROCESS_H_
#define SIGNET_AGENT_CALLER_TEST_PROCESS_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <string>

#include "ipc/transport/descriptor.h"

namespace signet::agent {

// Runs `prepare`, tells whether it went well, and stands still until this object goes.
class TestProcess {
 public:
  explicit TestProcess(const std::function<bool()>& prepare) {
    int said[2];
    EXPECT_EQ(pipe2(said, O_CLOEXEC), 0);
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      const char byte = prepare() ? 'y' : 'n';
      if (write(said[1], &byte, 1) != 1) _exit(1);
      for (;;) pause();
    }
    close(said[1]);
    const ipc::Descriptor answer(said[0]);
    char byte = 'n';
    went_well_ = read(answer.get(), &byte, 1) == 1 && byte == 'y';
  }
  TestProcess(const TestProcess&) = delete;
  TestProcess& operator=(const TestProcess&) = delete;
  ~TestProcess() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  pid_t pid() const { return pid_; }
  bool went_well() const { return went_well_; }

 private:
  pid_t pid_ = -1;
  bool went_well_ = false;
};

inline bool WriteFile(const std::string& path, const std::string& text) {
  std::ofstream out(path);
  out << text;
  return static_cast<bool>(out.flush());
}

// This process gets its own mounts. False where that is forbidden, as in some containers.
inline bool EnterMountNamespace() {
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  if (unshare(uid == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0) return false;
  if (uid != 0 &&
      !(WriteFile("/proc/self/setgroups", "deny") &&
        WriteFile("/proc/self/uid_map", std::to_string(uid) + " " + std::to_string(uid) + " 1") &&
        WriteFile("/proc/self/gid_map", std::to_string(gid) + " " + std::to_string(gid) + " 1"))) {
    return false;
  }
  return mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

inline bool CanEnterMountNamespace() { return TestProcess(EnterMountNamespace).went_well(); }

}  // namespace signet::agent

#endif  // SIGNET_AGENT_CALLER_TEST_PROCESS_H_
