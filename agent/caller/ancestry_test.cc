#include "agent/caller/ancestry.h"

#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "agent/caller/test_process.h"
#include "ipc/transport/process_stat.h"

namespace signet::agent {
namespace {

uint64_t StartTime(pid_t pid) { return ipc::ReadProcessStat(pid)->start_time; }

TEST(Ancestry, NamesTheShellsAboveAProgram) {
  // The innermost tells its number and waits for the end of its input.
  int in[2], out[2];
  ASSERT_EQ(pipe2(in, O_CLOEXEC), 0);
  ASSERT_EQ(pipe2(out, O_CLOEXEC), 0);
  const pid_t outer = fork();
  if (outer == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    execl("/bin/sh", "sh", "-c", "bash -c 'sh -c \"echo \\$\\$; read end; :\"; :'; :", nullptr);
    _exit(1);
  }
  close(in[0]);
  close(out[1]);
  FILE* said = fdopen(out[0], "r");
  pid_t inner = 0;
  ASSERT_EQ(fscanf(said, "%d", &inner), 1);

  const std::vector<ParentProcess> parents = ParentsOf(inner, StartTime(inner));
  ASSERT_GE(parents.size(), 3U);
  EXPECT_EQ(parents[0].name, "bash");
  EXPECT_EQ(parents[1], (ParentProcess{outer, "sh"}));
  EXPECT_EQ(parents[2].pid, getpid());
  // Whoever it was that had the number before.
  EXPECT_TRUE(ParentsOf(inner, StartTime(inner) - 1).empty());

  close(in[1]);
  EXPECT_EQ(waitpid(outer, nullptr, 0), outer);
  fclose(said);
}

TEST(Ancestry, IsBounded) {
  int said[2];
  ASSERT_EQ(pipe2(said, O_CLOEXEC), 0);
  pid_t first = fork();
  if (first == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t generation = 0; generation < kMaxParents + 2; ++generation) {
      if (fork() != 0) {
        waitpid(-1, nullptr, 0);
        _exit(0);
      }
      prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    const pid_t last = getpid();
    if (write(said[1], &last, sizeof last) != sizeof last) _exit(1);
    for (;;) pause();
  }
  close(said[1]);
  pid_t last = 0;
  ASSERT_EQ(read(said[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
  close(said[0]);
  EXPECT_EQ(ParentsOf(last, StartTime(last)).size(), kMaxParents);
  kill(first, SIGKILL);
  EXPECT_EQ(waitpid(first, nullptr, 0), first);
}

TEST(Ancestry, NobodyHasNoParents) { EXPECT_TRUE(ParentsOf(-1, 1).empty()); }

}  // namespace
}  // namespace signet::agent
