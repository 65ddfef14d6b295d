#include "ipc/transport/blocking_channel.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "ipc/transport/raw_peer.h"

namespace signet::ipc {
namespace {

using ::testing::HasSubstr;

struct Ends : RawPeer {
  BlockingChannel channel{TakeOther()};
};

TEST(BlockingChannel, MessageSurvivesEveryCut) {
  const wire::Bytes stream = BytesOf(std::string("\0\0\0\5hello\0\0\0\0\0\0\0\1!", 18));
  for (size_t cut = 1; cut < stream.size(); ++cut) {
    Ends ends;
    std::thread writer([&] {
      ends.Write(wire::BytesView(stream).first(cut));
      ends.Write(wire::BytesView(stream).subspan(cut));
    });
    for (const char* expected : {"hello", "", "!"}) {
      absl::StatusOr<BlockingMessage> message = ends.channel.Receive();
      ASSERT_TRUE(message.ok()) << cut << message.status();
      EXPECT_EQ(message->bytes, BytesOf(expected)) << cut;
      EXPECT_FALSE(message->descriptor);
    }
    writer.join();
  }
}

TEST(BlockingChannel, LargestMessagePassesAndALargerOneIsNotSent) {
  Ends ends;
  wire::Bytes large(wire::kMaxMessageSize);
  std::iota(large.begin(), large.end(), uint8_t{0});
  BlockingChannel other(std::move(ends.raw));
  std::thread sender([&] { EXPECT_TRUE(other.Send(large).ok()); });
  absl::StatusOr<BlockingMessage> message = ends.channel.Receive();
  sender.join();
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_EQ(message->bytes, large);

  large.push_back(0);
  EXPECT_TRUE(absl::IsInvalidArgument(other.Send(large)));
  EXPECT_TRUE(other.Send(BytesOf("ok")).ok());
  EXPECT_EQ(ends.channel.Receive()->bytes, BytesOf("ok"));
}

TEST(BlockingChannel, OversizedPrefixIsRefusedForGood) {
  Ends ends;
  ends.Write(BytesOf(std::string("\0\4\0\1\0\0\0\1!", 9)));  // 256 KiB + 1
  EXPECT_TRUE(absl::IsInvalidArgument(ends.channel.Receive().status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ends.channel.Receive().status()));
}

TEST(BlockingChannel, TellsACleanEndFromACutMessage) {
  Ends clean;
  clean.raw.Reset();
  EXPECT_TRUE(absl::IsOutOfRange(clean.channel.Receive().status()));
  for (const std::string& start : {std::string("\0\0", 2), std::string("\0\0\0\3ab", 6)}) {
    Ends cut;
    cut.Write(BytesOf(start));
    cut.raw.Reset();
    EXPECT_TRUE(absl::IsUnavailable(cut.channel.Receive().status()));
  }
}

TEST(BlockingChannel, SendToAClosedPeerFailsWithoutASignal) {
  Ends ends;
  ends.raw.Reset();
  EXPECT_TRUE(absl::IsUnavailable(ends.channel.Send(BytesOf("x"))));
}

TEST(BlockingChannel, DescriptorArrivesWithItsMessageOnly) {
  Ends ends;
  Pipe pipe;
  BlockingChannel other(std::move(ends.raw));
  ASSERT_TRUE(other.Send(BytesOf("before")).ok());
  ASSERT_TRUE(other.Send(BytesOf("with"), pipe.write_end.get()).ok());
  ASSERT_TRUE(other.Send(BytesOf("after")).ok());
  pipe.write_end.Reset();

  EXPECT_FALSE(ends.channel.Receive()->descriptor);
  absl::StatusOr<BlockingMessage> with = ends.channel.Receive();
  ASSERT_TRUE(with.ok() && with->descriptor);
  EXPECT_EQ(with->bytes, BytesOf("with"));
  EXPECT_NE(fcntl(with->descriptor->get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_FALSE(ends.channel.Receive()->descriptor);
  EXPECT_FALSE(pipe.EndsNow());
  with->descriptor.reset();
  EXPECT_TRUE(pipe.EndsNow());
}

TEST(BlockingChannel, SurplusDescriptorsAreRefusedAndClosed) {
  for (const size_t count : {2, 3, 40}) {
    Ends ends;
    Pipe pipe;
    ends.Write(BytesOf(std::string("\0\0\0\1!", 5)), std::vector<int>(count, pipe.write_end.get()));
    pipe.write_end.Reset();
    EXPECT_TRUE(absl::IsInvalidArgument(ends.channel.Receive().status())) << count;
    ends.raw.Reset();
    EXPECT_TRUE(pipe.EndsNow()) << count;
  }
}

TEST(BlockingChannel, DescriptorThatCannotBeOpenedIsNotSilentlyMissing) {
  Ends ends;
  Pipe pipe;
  ends.Write(BytesOf(std::string("\0\0\0\1!", 5)), {pipe.write_end.get()});
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const absl::Status status = ends.channel.Receive().status();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
}

TEST(BlockingChannel, OneDescriptorInEachPieceOfAMessageIsOneTooMany) {
  Ends ends;
  Pipe pipe;
  ends.Write(BytesOf(std::string("\0\0", 2)), {pipe.write_end.get()});
  ends.Write(BytesOf(std::string("\0\1!", 3)), {pipe.write_end.get()});
  pipe.write_end.Reset();
  EXPECT_TRUE(absl::IsInvalidArgument(ends.channel.Receive().status()));
  ends.raw.Reset();
  EXPECT_TRUE(pipe.EndsNow());
}

TEST(BlockingChannel, WorksOnNonBlockingSockets) {
  int sockets[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets), 0);
  BlockingChannel receiver((Descriptor(sockets[0]))), sender((Descriptor(sockets[1])));
  const wire::Bytes large(wire::kMaxMessageSize, 7);  // more than the socket's buffer holds
  std::thread thread([&] { EXPECT_TRUE(sender.Send(large).ok()); });
  EXPECT_EQ(receiver.Receive()->bytes, large);
  thread.join();
}

TEST(BlockingChannel, ConnectNamesThePathAndTheNextStep) {
  const absl::Status status = BlockingChannel::Connect("/nonexistent/agent.sock").status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("/nonexistent/agent.sock"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("is signetd running"));
  EXPECT_TRUE(absl::IsInvalidArgument(BlockingChannel::Connect(std::string(200, 'x')).status()));
}

}  // namespace
}  // namespace signet::ipc
