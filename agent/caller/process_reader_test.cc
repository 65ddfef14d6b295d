#include "agent/caller/process_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "absl/strings/escaping.h"
#include "agent/caller/test_process.h"
#include "ipc/transport/process_stat.h"
#include "tests/support/run_awaitable.h"
#include "tests/support/temporary_folder.h"

namespace signet::agent {
namespace {

std::string Sha256OfFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(in)), {});
  uint8_t hash[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const uint8_t*>(content.data()), content.size(), hash);
  return absl::BytesToHexString({reinterpret_cast<const char*>(hash), sizeof hash});
}

// A process that runs `program`, as it is seen once it does.
class Running {
 public:
  explicit Running(const std::string& program,
                   std::vector<std::string> words = {"sleeper", "100"}) {
    int running[2];
    EXPECT_EQ(pipe2(running, O_CLOEXEC), 0);
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      std::vector<char*> arguments;
      for (std::string& word : words) arguments.push_back(word.data());
      arguments.push_back(nullptr);
      execv(program.c_str(), arguments.data());
      _exit(1);
    }
    close(running[1]);
    char byte;
    EXPECT_EQ(read(running[0], &byte, 1), 0);  // close-on-exec
    close(running[0]);
    // The kernel gives it its command line a moment later.
    while (ipc::ReadKernelFile(ipc::ProcPath(pid_, "cmdline"), 1).value_or("").empty())
      sched_yield();

    auto peer = std::make_shared<ipc::Peer>();
    peer->pid = pid_;
    peer->uid = geteuid();
    peer->start_time = ipc::ReadProcessStat(pid_)->start_time;
    struct stat file {};
    EXPECT_EQ(stat(program.c_str(), &file), 0);
    peer->executable = ipc::PeerExecutable{file.st_dev, file.st_ino, program};
    peer->pidfd = ipc::Descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
    peer_ = peer;
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  const std::shared_ptr<const ipc::Peer>& peer() const { return peer_; }

 private:
  pid_t pid_;
  std::shared_ptr<const ipc::Peer> peer_;
};

class ProcessReaderTest : public ::testing::Test {
 protected:
  // A program of our own, which may be changed.
  std::string MakeProgram() {
    const std::filesystem::path program = folder_.path() / "sleeper";
    std::filesystem::copy_file("/bin/sleep", program);
    return program;
  }

  const test::TemporaryFolder folder_;
  ProcessReader reader_;
};

TEST_F(ProcessReaderTest, HashesTheFileThatRuns) {
  const std::string program = MakeProgram();
  Running process(program);
  const auto hash = test::RunAwaitable(reader_.Sha256(process.peer()));
  ASSERT_TRUE(hash.ok()) << hash.status();
  EXPECT_EQ(*hash, Sha256OfFile("/bin/sleep"));
  EXPECT_EQ(*test::RunAwaitable(reader_.Sha256(process.peer())), *hash);  // remembered
}

TEST_F(ProcessReaderTest, HashesWhatRunsAndNotWhatHasItsPathNow) {
  const std::string program = MakeProgram();
  Running process(program);
  ASSERT_EQ(unlink(program.c_str()), 0);
  folder_.Write("sleeper", "something else");
  const auto hash = test::RunAwaitable(reader_.Sha256(process.peer()));
  ASSERT_TRUE(hash.ok()) << hash.status();
  EXPECT_EQ(*hash, Sha256OfFile("/bin/sleep"));
}

TEST_F(ProcessReaderTest, RemembersNoHashOfAFileThatChanged) {
  const std::string program = MakeProgram();
  std::string before;
  {
    Running process(program);
    before = *test::RunAwaitable(reader_.Sha256(process.peer()));
  }
  struct stat state {};
  ASSERT_EQ(stat(program.c_str(), &state), 0);
  // The same inode and size; and whoever changes it can turn back one of its times, but not the
  // other.
  std::fstream file(program, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(-1, std::ios::end);
  file.put('x');
  file.close();
  const timespec times[2] = {state.st_atim, state.st_mtim};
  struct stat changed {};
  do {  // the clock of many file systems ticks in milliseconds
    ASSERT_EQ(utimensat(AT_FDCWD, program.c_str(), times, 0), 0);
    ASSERT_EQ(stat(program.c_str(), &changed), 0);
  } while (changed.st_ctim.tv_sec == state.st_ctim.tv_sec &&
           changed.st_ctim.tv_nsec == state.st_ctim.tv_nsec);
  Running process(program);
  const auto after = test::RunAwaitable(reader_.Sha256(process.peer()));
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_NE(*after, before);
}

TEST_F(ProcessReaderTest, RefusesWhatIsNotWhatConnected) {
  Running process(MakeProgram());
  ipc::Peer other;
  other.pid = process.peer()->pid;
  other.executable = ipc::PeerExecutable{1, 2, "/other"};
  EXPECT_TRUE(absl::IsPermissionDenied(
      test::RunAwaitable(reader_.Sha256(std::make_shared<ipc::Peer>(std::move(other)))).status()));
  ipc::Peer gone;
  gone.pid = 0x7fffffff;
  gone.executable = ipc::PeerExecutable{1, 2, "/other"};
  EXPECT_TRUE(absl::IsPermissionDenied(
      test::RunAwaitable(reader_.Sha256(std::make_shared<ipc::Peer>(std::move(gone)))).status()));
}

TEST_F(ProcessReaderTest, ReadsNoFileAboveTheLimit) {
  Running process(MakeProgram());
  ReadingLimits limits;
  limits.executable_size = 1000;
  ProcessReader small(limits);
  EXPECT_TRUE(absl::IsOutOfRange(test::RunAwaitable(small.Sha256(process.peer())).status()));
}

TEST_F(ProcessReaderTest, ReadsNoMoreAtOnceThanTheLimit) {
  Running process(MakeProgram());
  ReadingLimits limits;
  limits.threads = 0;
  ProcessReader none(limits);
  EXPECT_TRUE(absl::IsResourceExhausted(test::RunAwaitable(none.Sha256(process.peer())).status()));
  EXPECT_EQ(test::RunAwaitable(none.CommandLine(process.peer())), "");
}

TEST_F(ProcessReaderTest, ReadsTheCommandLine) {
  Running process("/bin/sleep", {"sleep", "100", "0.0"});
  EXPECT_EQ(test::RunAwaitable(reader_.CommandLine(process.peer())), "sleep 100 0.0");
}

TEST_F(ProcessReaderTest, HasNoCommandLineOfAProcessThatIsAnother) {
  Running process(MakeProgram());
  ipc::Peer other;
  other.pid = process.peer()->pid;
  other.uid = geteuid();
  other.executable = ipc::PeerExecutable{1, 2, "/other"};
  other.pidfd = ipc::Descriptor(fcntl(process.peer()->pidfd.get(), F_DUPFD_CLOEXEC, 0));
  EXPECT_EQ(test::RunAwaitable(reader_.CommandLine(std::make_shared<ipc::Peer>(std::move(other)))),
            "");
}

TEST(PrintableCommandLine, IsShortAndCommandsNoTerminal) {
  EXPECT_EQ(PrintableCommandLine(std::string("a\0b c\0\0", 7)), "a b c");
  EXPECT_EQ(PrintableCommandLine("x\x1b[2J\n\xe2\x86\x90"), "x?[2J????");
  EXPECT_EQ(PrintableCommandLine(std::string(10'000, 'x')).size(), 256U);
  EXPECT_EQ(PrintableCommandLine(""), "");
}

}  // namespace
}  // namespace signet::agent
