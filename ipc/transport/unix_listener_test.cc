#include "ipc/transport/unix_listener.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "ipc/transport/blocking_channel.h"

namespace signet::ipc {
namespace {

using ::testing::HasSubstr;

class UnixListenerTest : public ::testing::Test {
 protected:
  UnixListenerTest() {
    char name[] = "/tmp/signet-listener-XXXXXX";
    folder_ = mkdtemp(name);
    path_ = folder_ / "agent.sock";
  }
  ~UnixListenerTest() override { std::filesystem::remove_all(folder_); }

  mode_t Mode() const {
    struct stat file {};
    EXPECT_EQ(stat(path_.c_str(), &file), 0);
    return file.st_mode & 07777;
  }

  std::filesystem::path folder_, path_;
};

TEST_F(UnixListenerTest, AcceptsConnections) {
  absl::StatusOr<UnixListener> listener = UnixListener::Listen(path_, 0600);
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_TRUE(BlockingChannel::Connect(path_).ok());
  EXPECT_GE(Descriptor(accept(listener->native_handle(), nullptr, nullptr)).get(), 0);
  EXPECT_NE(fcntl(listener->native_handle(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(UnixListenerTest, SetsTheModeWhateverTheUmask) {
  const mode_t before = umask(0);
  EXPECT_TRUE(UnixListener::Listen(path_, 0600).ok());
  {
    absl::StatusOr<UnixListener> listener = UnixListener::Listen(path_, 0600);
    EXPECT_EQ(Mode(), 0600U);
  }
  umask(077);
  absl::StatusOr<UnixListener> listener = UnixListener::Listen(path_, 0666);
  EXPECT_EQ(Mode(), 0666U);
  umask(before);
}

TEST_F(UnixListenerTest, RemovesItsFileAtTheEnd) {
  {
    absl::StatusOr<UnixListener> listener = UnixListener::Listen(path_, 0600);
    UnixListener moved = *std::move(listener);
    Descriptor taken = moved.TakeSocket();
    EXPECT_TRUE(std::filesystem::exists(path_));
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixListenerTest, LeavesAFileThatIsNotItsOwn) {
  std::optional<UnixListener> first = *UnixListener::Listen(path_, 0600);
  std::filesystem::remove(path_);
  absl::StatusOr<UnixListener> second = UnixListener::Listen(path_, 0600);
  ASSERT_TRUE(second.ok());
  first.reset();
  EXPECT_TRUE(BlockingChannel::Connect(path_).ok());
}

TEST_F(UnixListenerTest, ReplacesAStaleSocket) {
  {
    absl::StatusOr<UnixListener> listener = UnixListener::Listen(path_, 0600);
    std::filesystem::create_hard_link(path_, folder_ / "kept");
  }
  std::filesystem::rename(folder_ / "kept", path_);  // as a killed agent leaves it
  absl::StatusOr<UnixListener> listener = UnixListener::Listen(path_, 0600);
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_TRUE(BlockingChannel::Connect(path_).ok());
}

TEST_F(UnixListenerTest, RefusesWhereAnotherAgentListens) {
  absl::StatusOr<UnixListener> live = UnixListener::Listen(path_, 0600);
  const absl::Status status = UnixListener::Listen(path_, 0600).status();
  EXPECT_TRUE(absl::IsAlreadyExists(status));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("another signetd is running on " + path_.string()));
  EXPECT_TRUE(BlockingChannel::Connect(path_).ok());
}

TEST_F(UnixListenerTest, RefusesToReplaceWhatIsNoSocket) {
  std::ofstream(path_) << "precious";
  EXPECT_TRUE(absl::IsAlreadyExists(UnixListener::Listen(path_, 0600).status()));
  EXPECT_EQ(std::filesystem::file_size(path_), 8U);
}

TEST_F(UnixListenerTest, RefusesAPathThatDoesNotFit) {
  const std::string longest = path_.string() + std::string(107 - path_.string().size(), 'x');
  EXPECT_TRUE(UnixListener::Listen(longest, 0600).ok());
  const absl::Status status = UnixListener::Listen(longest + "x", 0600).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("108 bytes"));
}

TEST_F(UnixListenerTest, SaysWhenTheFolderIsMissing) {
  const absl::Status status = UnixListener::Listen(folder_ / "no" / "agent.sock", 0600).status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("folder exists"));
}

}  // namespace
}  // namespace signet::ipc
