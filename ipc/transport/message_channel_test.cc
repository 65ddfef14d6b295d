#include "ipc/transport/message_channel.h"

#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <optional>
#include <string>

#include "ipc/transport/raw_peer.h"

namespace signet::ipc {
namespace {

constexpr std::chrono::milliseconds kShort{20};
constexpr std::chrono::hours kLong{1};

class MessageChannelTest : public ::testing::Test, public RawPeer {
 protected:
  // Replaces the channel by one with this limit.
  MessageChannel& Channel(std::chrono::steady_clock::duration stall_limit = kLong) {
    return channel_.emplace(asio::local::stream_protocol::socket(
                                loop_, asio::local::stream_protocol(), TakeOther().Release()),
                            stall_limit);
  }

  template <typename T>
  void Start(asio::awaitable<T> work, std::optional<T>& result) {
    asio::co_spawn(
        loop_,
        [](asio::awaitable<T> inner, std::optional<T>& out) -> asio::awaitable<void> {
          out.emplace(co_await std::move(inner));
        }(std::move(work), result),
        asio::detached);
  }

  template <typename T>
  T Run(asio::awaitable<T> work) {
    std::optional<T> result;
    Start(std::move(work), result);
    loop_.restart();
    loop_.run();
    return *std::move(result);
  }

  // Runs what can run without waiting.
  void Settle() {
    loop_.restart();
    loop_.poll();
  }

  asio::io_context loop_;
  std::optional<MessageChannel> channel_;
};

TEST_F(MessageChannelTest, MessageSurvivesEveryCut) {
  MessageChannel& channel = Channel();
  const wire::Bytes stream = BytesOf(std::string("\0\0\0\5hello\0\0\0\0\0\0\0\1!", 18));
  for (size_t cut = 1; cut < stream.size(); ++cut) {
    std::optional<absl::StatusOr<Message>> first;
    Start(channel.Receive(), first);
    Write(wire::BytesView(stream).first(cut));
    Settle();
    EXPECT_EQ(first.has_value(), cut >= 9) << cut;
    Write(wire::BytesView(stream).subspan(cut));
    Settle();
    ASSERT_TRUE(first && first->ok()) << cut;
    EXPECT_EQ((*first)->bytes, BytesOf("hello")) << cut;
    EXPECT_EQ(Run(channel.Receive())->bytes, BytesOf("")) << cut;
    EXPECT_EQ(Run(channel.Receive())->bytes, BytesOf("!")) << cut;
  }
}

TEST_F(MessageChannelTest, LargestMessagePassesBothWaysAtOnce) {
  MessageChannel& channel = Channel();
  MessageChannel other(
      asio::local::stream_protocol::socket(loop_, asio::local::stream_protocol(), raw.Release()));
  const wire::Bytes large(wire::kMaxMessageSize, 0x5a);
  std::optional<absl::Status> sent, sent_back;
  std::optional<absl::StatusOr<Message>> received;
  Start(channel.Send(large), sent);
  Start(other.Send(large), sent_back);
  Start(other.Receive(), received);
  EXPECT_EQ(Run(channel.Receive())->bytes, large);
  EXPECT_EQ((*received)->bytes, large);
  EXPECT_TRUE(sent->ok() && sent_back->ok());
}

TEST_F(MessageChannelTest, SendsNothingOfAnOversizedMessage) {
  MessageChannel& channel = Channel();
  const wire::Bytes too_large(wire::kMaxMessageSize + 1);
  EXPECT_TRUE(absl::IsInvalidArgument(Run(channel.Send(too_large))));
  char byte;
  EXPECT_EQ(recv(raw.get(), &byte, 1, MSG_DONTWAIT), -1);
}

TEST_F(MessageChannelTest, RefusesAnOversizedPrefix) {
  MessageChannel& channel = Channel();
  Write(BytesOf(std::string("\0\4\0\1", 4)));
  EXPECT_TRUE(absl::IsInvalidArgument(Run(channel.Receive()).status()));
  EXPECT_TRUE(Run(channel.Send(BytesOf("why"))).ok());  // the peer may still be told
}

TEST_F(MessageChannelTest, DescriptorStaysWithItsMessage) {
  MessageChannel& channel = Channel();
  Pipe pipe;
  Write(BytesOf(std::string("\0\0\0\1a", 5)));
  Write(BytesOf(std::string("\0\0\0\1b\0\0\0\1c", 10)), {pipe.write_end.get()});
  EXPECT_FALSE(Run(channel.Receive())->descriptor);
  EXPECT_TRUE(Run(channel.Receive())->descriptor);
  EXPECT_FALSE(Run(channel.Receive())->descriptor);
}

TEST_F(MessageChannelTest, RefusesTwoDescriptors) {
  MessageChannel& channel = Channel();
  Pipe pipe;
  Write(BytesOf(std::string("\0\0\0\1a", 5)), {pipe.write_end.get(), pipe.write_end.get()});
  EXPECT_TRUE(absl::IsInvalidArgument(Run(channel.Receive()).status()));
  pipe.write_end.Reset();
  EXPECT_TRUE(pipe.EndsNow());
}

TEST_F(MessageChannelTest, DroppedDescriptorsNeverEnterTheProcess) {
  MessageChannel channel(asio::local::stream_protocol::socket(loop_, asio::local::stream_protocol(),
                                                              TakeOther().Release()),
                         MessageChannel::kStallLimit, Descriptors::kDropped);
  Pipe pipe;
  Write(BytesOf(std::string("\0\0\0\1a", 5)), {pipe.write_end.get(), pipe.write_end.get()});
  const absl::StatusOr<Message> message = Run(channel.Receive());
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_EQ(message->bytes, BytesOf("a"));
  EXPECT_FALSE(message->descriptor);
  pipe.write_end.Reset();
  EXPECT_TRUE(pipe.EndsNow());
}

TEST_F(MessageChannelTest, PassesADescriptorOn) {
  MessageChannel& channel = Channel();
  MessageChannel other(
      asio::local::stream_protocol::socket(loop_, asio::local::stream_protocol(), raw.Release()));
  Pipe pipe;
  ASSERT_TRUE(Run(channel.Send(BytesOf("take it"), pipe.write_end.get())).ok());
  pipe.write_end.Reset();
  absl::StatusOr<Message> message = Run(other.Receive());
  ASSERT_TRUE(message.ok() && message->descriptor);
  EXPECT_EQ(write(message->descriptor->get(), "x", 1), 1);
}

TEST_F(MessageChannelTest, GivesUpAPeerThatStopsInsideAMessage) {
  MessageChannel& channel = Channel(kShort);
  Write(BytesOf(std::string("\0\0", 2)));
  EXPECT_TRUE(absl::IsDeadlineExceeded(Run(channel.Receive()).status()));
  char byte;
  EXPECT_EQ(recv(raw.get(), &byte, 1, 0), 0);  // the connection is closed
}

TEST_F(MessageChannelTest, GivesUpAPeerThatDoesNotRead) {
  MessageChannel& channel = Channel(kShort);
  const wire::Bytes large(wire::kMaxMessageSize);
  absl::Status status = absl::OkStatus();
  for (int i = 0; i < 100 && status.ok(); ++i) status = Run(channel.Send(large));
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
}

TEST_F(MessageChannelTest, WaitsLongerThanTheStallLimitForAMessageToBegin) {
  MessageChannel& channel = Channel(kShort);
  std::optional<absl::StatusOr<Message>> received;
  Start(channel.Receive(), received);
  loop_.run_for(3 * kShort);
  EXPECT_FALSE(received);
  Write(BytesOf(std::string("\0\0\0\1a", 5)));
  Settle();
  EXPECT_TRUE(received && received->ok());
}

TEST_F(MessageChannelTest, TellsACleanEndFromACutMessage) {
  MessageChannel& channel = Channel();
  raw.Reset();
  EXPECT_TRUE(absl::IsOutOfRange(Run(channel.Receive()).status()));
  EXPECT_TRUE(absl::IsUnavailable(Run(channel.Send(BytesOf("x")))));

  RawPeer cut;
  MessageChannel cut_channel(asio::local::stream_protocol::socket(
      loop_, asio::local::stream_protocol(), cut.TakeOther().Release()));
  cut.Write(BytesOf(std::string("\0\0\0\2a", 5)));
  cut.raw.Reset();
  EXPECT_TRUE(absl::IsUnavailable(Run(cut_channel.Receive()).status()));
}

TEST_F(MessageChannelTest, CloseEndsAReceiveUnderWay) {
  MessageChannel& channel = Channel();
  std::optional<absl::StatusOr<Message>> received;
  Start(channel.Receive(), received);
  Settle();
  EXPECT_FALSE(received);
  channel.Close();
  Settle();
  ASSERT_TRUE(received);
  EXPECT_TRUE(absl::IsUnavailable(received->status()));
}

TEST_F(MessageChannelTest, WaitForInputEndsWithInputOrAnInterrupt) {
  MessageChannel& channel = Channel();
  std::optional<bool> input;
  Start(channel.WaitForInput(), input);
  Settle();
  EXPECT_FALSE(input);
  channel.Interrupt();
  Settle();
  EXPECT_EQ(input, false);
  Write(BytesOf(std::string("\0\0\0\1a", 5)));
  EXPECT_TRUE(Run(channel.WaitForInput()));
  EXPECT_TRUE(Run(channel.Receive()).ok());
  raw.Reset();
  EXPECT_TRUE(Run(channel.WaitForInput()));
}

TEST_F(MessageChannelTest, CancelledReceiveLosesNothing) {
  MessageChannel& channel = Channel();
  Write(BytesOf(std::string("\0\0\0\2a", 5)));
  asio::cancellation_signal cancel;
  std::optional<absl::StatusOr<Message>> received;
  asio::co_spawn(
      loop_, [&]() -> asio::awaitable<void> { received = co_await channel.Receive(); },
      asio::bind_cancellation_slot(cancel.slot(), asio::detached));
  Settle();
  cancel.emit(asio::cancellation_type::terminal);
  Settle();
  ASSERT_TRUE(received);
  EXPECT_TRUE(absl::IsCancelled(received->status()));
  Write(BytesOf("b"));
  EXPECT_EQ(Run(channel.Receive())->bytes, BytesOf("ab"));
}

TEST_F(MessageChannelTest, FloodingPeerLeavesTheLoopToOthers) {
  MessageChannel& channel = Channel();
  wire::Bytes flood;
  for (int i = 0; i < 100; ++i) flood.insert(flood.end(), {0, 0, 0, 1, 'x'});
  Write(flood);
  int received = 0;
  std::optional<int> received_when_other_ran;
  asio::co_spawn(
      loop_,
      [&]() -> asio::awaitable<void> {
        while (received < 100) {  // g++ 12 awaits on the right of && even when the left is false
          const absl::StatusOr<Message> message = co_await channel.Receive();
          EXPECT_TRUE(message.ok());
          if (++received == 1) asio::post(loop_, [&] { received_when_other_ran = received; });
        }
      },
      asio::detached);
  loop_.run();
  EXPECT_EQ(received, 100);
  EXPECT_LT(*received_when_other_ran, 5);
}

}  // namespace
}  // namespace signet::ipc
