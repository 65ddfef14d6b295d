#include "tests/integration/embedding/sandbox.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace signet::test {
namespace {

constexpr int kSockets[] = {SYS_socket, SYS_socketpair, SYS_connect, SYS_bind,
                            SYS_listen, SYS_accept,     SYS_accept4};

// What the program as a whole needs. Of these libsignet itself uses sendto, recvfrom, fcntl,
// getsockopt and close for a descriptor that it was given, and memory.
constexpr int kAllowed[] = {
    SYS_read,          SYS_write,        SYS_sendto,     SYS_recvfrom, SYS_fcntl,
    SYS_getsockopt,    SYS_close,        SYS_brk,        SYS_mmap,     SYS_munmap,
    SYS_mremap,        SYS_mprotect,     SYS_madvise,    SYS_futex,    SYS_getrandom,
    SYS_clock_gettime, SYS_gettimeofday, SYS_getpid,     SYS_gettid,   SYS_rt_sigprocmask,
    SYS_rt_sigaction,  SYS_rt_sigreturn, SYS_tgkill,     SYS_wait4,    SYS_set_robust_list,
    SYS_ppoll,         SYS_exit,         SYS_exit_group,
#ifdef SYS_poll
    SYS_poll,
#endif
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint32_t kRest = SECCOMP_RET_ALLOW;
#else
constexpr uint32_t kRest = SECCOMP_RET_TRAP;
#endif

void AppendLoad(std::vector<sock_filter>& program, size_t offset) {
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset)));
}

void AppendRule(std::vector<sock_filter>& program, int call, uint32_t action) {
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call), 0, 1));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, action));
}

std::vector<sock_filter> Program() {
  std::vector<sock_filter> program;
  AppendLoad(program, offsetof(seccomp_data, nr));
  for (const int call : kSockets) AppendRule(program, call, SECCOMP_RET_ERRNO | EPERM);
  for (const int call : kAllowed) AppendRule(program, call, SECCOMP_RET_ALLOW);
  // How a poll goes on during which the process was stopped.
  AppendRule(program, SYS_restart_syscall, SECCOMP_RET_ALLOW);
  // A process, but no thread: those are made with clone3, or with CLONE_THREAD.
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3));
  AppendLoad(program, offsetof(seccomp_data, args));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, kRest));
  return program;
}

void Forbid(int, siginfo_t* what, void*) {
  char text[64];
  const int size =
      std::snprintf(text, sizeof text, "the sandbox forbids system call %d\n", what->si_syscall);
  [[maybe_unused]] ssize_t written = write(STDERR_FILENO, text, static_cast<size_t>(size));
  _exit(1);
}

}  // namespace

void EnterSandbox() {
  struct sigaction action {};
  action.sa_sigaction = Forbid;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSYS, &action, nullptr);
  std::vector<sock_filter> filter = Program();
  sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    std::perror("seccomp");
    std::exit(1);
  }
}

}  // namespace signet::test
