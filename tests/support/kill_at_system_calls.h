// kill -9 at every place where it can matter: between two system calls.
#ifndef SIGNET_TESTS_SUPPORT_KILL_AT_SYSTEM_CALLS_H_
#define SIGNET_TESTS_SUPPORT_KILL_AT_SYSTEM_CALLS_H_

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <stdexcept>

namespace signet::test {

// Does `work` in a child of this process that is killed as it is about to make its `number`th
// system call. Did the work end before that? Throws std::runtime_error when it fails.
inline bool EndsBeforeItIsKilled(int number, const std::function<bool()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
    _exit(work() ? 0 : 1);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) {
    throw std::runtime_error("can't trace a child");
  }
  ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_EXITKILL);
  // The child stops on its way into each call and on its way out.
  for (int stops = 1; stops < 2 * number; ++stops) {
    ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    waitpid(child, &status, 0);
    if (WIFEXITED(status)) {
      if (WEXITSTATUS(status) != 0) throw std::runtime_error("the work itself failed");
      return true;
    }
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return false;
}

// Calls `prepare`, does `work` in a child that is killed at its first system call, calls `check`;
// again for the second, and so on until the work is done whole. Returns how many kills there were.
inline int KillAtEachSystemCall(const std::function<void()>& prepare,
                                const std::function<bool()>& work,
                                const std::function<void(bool done)>& check) {
  for (int number = 1;; ++number) {
    prepare();
    const bool done = EndsBeforeItIsKilled(number, work);
    check(done);
    if (done) return number - 1;
  }
}

}  // namespace signet::test

#endif  // SIGNET_TESTS_SUPPORT_KILL_AT_SYSTEM_CALLS_H_
