#include "ipc/transport/peer.h"

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

#include <filesystem>
#include <string>

#include "ipc/transport/unix_address.h"
#include "ipc/transport/unix_listener.h"

namespace signet::ipc {
namespace {

// A forked child that connects, then becomes /bin/cat when the pipe to it ends.
class PeerTest : public ::testing::Test {
 protected:
  PeerTest() {
    char name[] = "/tmp/signet-peer-XXXXXX";
    folder_ = mkdtemp(name);
    const std::string path = folder_ / "s";
    listener_.emplace(*UnixListener::Listen(path, 0600));
    const sockaddr_un address = *UnixAddress(path);
    int go[2], became_cat[2];
    EXPECT_EQ(pipe2(go, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(became_cat, O_CLOEXEC), 0);
    child_ = fork();
    if (child_ == 0) {
      close(go[1]);
      const int connection = socket(AF_UNIX, SOCK_STREAM, 0);
      char byte;
      if (connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
          read(go[0], &byte, 1) != 0) {
        _exit(1);
      }
      dup2(connection, STDIN_FILENO);
      execl("/bin/cat", "cat", nullptr);
      _exit(1);
    }
    close(go[0]);
    close(became_cat[1]);
    go_ = Descriptor(go[1]);
    became_cat_ = Descriptor(became_cat[0]);
    pollfd waiting{listener_->native_handle(), POLLIN, 0};
    EXPECT_EQ(poll(&waiting, 1, 60'000), 1);
    connection_ = Descriptor(accept(listener_->native_handle(), nullptr, nullptr));
  }
  ~PeerTest() override {
    EndChild();
    std::filesystem::remove_all(folder_);
  }

  void BecomeCat() {
    go_.Reset();
    char byte;
    EXPECT_EQ(read(became_cat_.get(), &byte, 1), 0);  // close-on-exec: ends with the exec
  }

  void EndChild() {
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    EXPECT_EQ(waitpid(child_, nullptr, 0), child_);
    child_ = -1;
  }

  std::filesystem::path folder_;
  std::optional<UnixListener> listener_;
  pid_t child_ = -1;
  Descriptor go_, became_cat_, connection_;
};

TEST_F(PeerTest, IsTheProcessThatConnected) {
  absl::StatusOr<Peer> peer = IdentifyPeer(connection_.get());
  ASSERT_TRUE(peer.ok()) << peer.status();
  EXPECT_EQ(peer->pid, child_);
  EXPECT_EQ(peer->uid, geteuid());
  EXPECT_EQ(peer->gid, getegid());
  EXPECT_GT(peer->start_time, 0U);
  EXPECT_TRUE(peer->pidfd.valid());
  struct stat self {};
  ASSERT_EQ(stat("/proc/self/exe", &self), 0);
  ASSERT_TRUE(peer->executable);
  EXPECT_EQ(peer->executable->device, self.st_dev);
  EXPECT_EQ(peer->executable->inode, self.st_ino);
  EXPECT_EQ(peer->executable->path, std::filesystem::read_symlink("/proc/self/exe"));
  EXPECT_TRUE(CheckUnchanged(*peer).ok());
}

TEST_F(PeerTest, IsRefusedAfterItRunsAnotherProgram) {
  absl::StatusOr<Peer> peer = IdentifyPeer(connection_.get());
  ASSERT_TRUE(peer.ok()) << peer.status();
  BecomeCat();
  EXPECT_TRUE(absl::IsPermissionDenied(CheckUnchanged(*peer)));
}

TEST(Peer, MayHaveAnyName) {
  int sockets[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
  const Descriptor ours(sockets[0]), theirs(sockets[1]);
  char usual[16] = {};
  ASSERT_EQ(prctl(PR_GET_NAME, usual), 0);
  // Each is two bytes in the process's status.
  ASSERT_EQ(prctl(PR_SET_NAME, std::string(15, '\n').c_str()), 0);
  absl::StatusOr<Peer> peer = IdentifyPeer(ours.get());
  EXPECT_TRUE(peer.ok() && CheckUnchanged(*peer).ok()) << peer.status();
  prctl(PR_SET_NAME, usual);
}

// Connects as `before`, and becomes `after` when told.
void ExpectRefusedAsAnotherUser(uid_t before, uid_t after) {
  char name[] = "/tmp/signet-peer-XXXXXX";
  const std::filesystem::path folder = mkdtemp(name);
  ASSERT_EQ(chmod(folder.c_str(), 0755), 0);
  std::optional<UnixListener> listener(*UnixListener::Listen(folder / "s", 0666));
  const sockaddr_un address = *UnixAddress(folder / "s");
  int go[2], done[2];
  ASSERT_EQ(pipe2(go, O_CLOEXEC), 0);
  ASSERT_EQ(pipe2(done, O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(go[1]);
    const int connection = socket(AF_UNIX, SOCK_STREAM, 0);
    char byte;
    if (seteuid(before) == 0 &&
        connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        read(go[0], &byte, 1) == 1 && seteuid(0) == 0 && seteuid(after) == 0 &&
        write(done[1], &byte, 1) == 1) {
      (void)!read(go[0], &byte, 1);  // until we have looked
    }
    _exit(0);
  }
  close(go[0]);
  close(done[1]);
  pollfd waiting{listener->native_handle(), POLLIN, 0};
  EXPECT_EQ(poll(&waiting, 1, 60'000), 1);
  const Descriptor connection(accept(listener->native_handle(), nullptr, nullptr));
  const absl::StatusOr<Peer> peer = IdentifyPeer(connection.get());
  EXPECT_TRUE(peer.ok()) << peer.status();
  if (peer.ok()) {
    EXPECT_EQ(peer->uid, before);
    EXPECT_TRUE(CheckUnchanged(*peer).ok()) << CheckUnchanged(*peer);
    char byte = 0;
    EXPECT_EQ(write(go[1], &byte, 1), 1);
    EXPECT_EQ(read(done[0], &byte, 1), 1);
    const absl::Status changed = CheckUnchanged(*peer);
    EXPECT_TRUE(absl::IsPermissionDenied(changed));
    EXPECT_NE(changed.message().find("another user"), absl::string_view::npos) << changed;
  }
  close(go[1]);
  close(done[0]);
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
  listener.reset();
  std::filesystem::remove_all(folder);
}

TEST(Peer, IsRefusedOnceItIsAnotherUser) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become somebody else";
  ExpectRefusedAsAnotherUser(0, 65534);
  ExpectRefusedAsAnotherUser(65534, 0);
  ExpectRefusedAsAnotherUser(65534, 65533);
}

TEST_F(PeerTest, IsRefusedOnceItHasEnded) {
  absl::StatusOr<Peer> peer = IdentifyPeer(connection_.get());
  ASSERT_TRUE(peer.ok()) << peer.status();
  kill(child_, SIGKILL);
  siginfo_t ended;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child_), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_TRUE(absl::IsPermissionDenied(CheckUnchanged(*peer)));  // a zombie
  peer->executable.reset();  // which has no executable; so one that never was known
  EXPECT_TRUE(absl::IsPermissionDenied(CheckUnchanged(*peer)));
  EndChild();
  EXPECT_TRUE(absl::IsPermissionDenied(CheckUnchanged(*peer)));
}

TEST_F(PeerTest, IsUnavailableWhenItEndedBeforeWeLooked) {
  EndChild();
  EXPECT_TRUE(absl::IsUnavailable(IdentifyPeer(connection_.get()).status()));
}

TEST_F(PeerTest, ExecutableIsUnknownWhenItCannotBeRead) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to look with another user's eyes";
  const pid_t other_user = fork();
  if (other_user == 0) {
    if (setgroups(0, nullptr) != 0 || setgid(65534) != 0 || setuid(65534) != 0) _exit(1);
    absl::StatusOr<Peer> peer = IdentifyPeer(connection_.get());
    _exit(peer.ok() && !peer->executable && CheckUnchanged(*peer).ok() ? 0 : 2);
  }
  int status = -1;
  ASSERT_EQ(waitpid(other_user, &status, 0), other_user);
  EXPECT_EQ(status, 0);
}

TEST(Peer, NeedsAUnixSocket) {
  const Descriptor udp(socket(AF_INET, SOCK_DGRAM, 0));
  EXPECT_TRUE(absl::IsUnavailable(IdentifyPeer(udp.get()).status()));
}

}  // namespace
}  // namespace signet::ipc
