#include "agent/prompter/channel.h"

#include <gtest/gtest.h>

#include "ipc/transport/blocking_channel.h"
#include "ipc/transport/raw_peer.h"
#include "ipc/wire/framing.h"

namespace signet::prompter {
namespace {

class ChannelTest : public testing::Test {
 protected:
  void SendToPrompter(const v1::ToPrompter& message) {
    wire::Bytes framed;
    ASSERT_TRUE(wire::AppendMessage(ipc::BytesOf(message.SerializeAsString()), framed));
    peer_.Write(framed);
  }
  // What the agent would receive.
  v1::FromPrompter Answer(std::optional<ipc::Descriptor>* descriptor = nullptr) {
    ipc::BlockingChannel agent(std::move(peer_.raw));
    absl::StatusOr<ipc::Message> message = agent.Receive();
    EXPECT_TRUE(message.ok()) << message.status();
    v1::FromPrompter answer;
    if (!message.ok()) return answer;
    EXPECT_TRUE(
        answer.ParseFromArray(message->bytes.data(), static_cast<int>(message->bytes.size())));
    if (descriptor != nullptr) *descriptor = std::move(message->descriptor);
    return answer;
  }

  ipc::RawPeer peer_;
  Channel channel_{peer_.TakeOther()};
};

TEST_F(ChannelTest, HasNothingUntilAMessageIsWhole) {
  EXPECT_FALSE(channel_.Receive()->has_value());
  peer_.Write(ipc::BytesOf(std::string("\0\0", 2)));
  EXPECT_FALSE(channel_.Receive()->has_value());
}

TEST_F(ChannelTest, GivesOutMessagesOneByOne) {
  v1::ToPrompter message;
  message.mutable_show()->set_origin("https://example.com");
  SendToPrompter(message);
  message.mutable_wait()->set_message("touch");
  SendToPrompter(message);
  EXPECT_EQ((*channel_.Receive())->show().origin(), "https://example.com");
  EXPECT_EQ((*channel_.Receive())->wait().message(), "touch");
  EXPECT_FALSE(channel_.Receive()->has_value());
}

TEST_F(ChannelTest, TellsTheEndFromNonsense) {
  peer_.raw.Reset();
  EXPECT_EQ(channel_.Receive().status().code(), absl::StatusCode::kOutOfRange);

  ipc::RawPeer babbler;
  Channel channel(babbler.TakeOther());
  babbler.Write(wire::Bytes{0, 0, 0, 2, 0xFF, 0xFF});
  EXPECT_EQ(channel.Receive().status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ChannelTest, LeavesAndFails) {
  ASSERT_TRUE(channel_.Leave().ok());
  EXPECT_TRUE(Answer().has_leave());

  ipc::RawPeer other;
  Channel channel(other.TakeOther());
  ASSERT_TRUE(channel.Fail("no display").ok());
  peer_.raw = std::move(other.raw);
  EXPECT_EQ(Answer().fail().message(), "no display");
}

TEST_F(ChannelTest, SendsThePinThroughAPipeThatEnds) {
  v1::Choose choose;
  choose.set_choice(2);
  ASSERT_TRUE(channel_.Choose(choose, "918273").ok());
  std::optional<ipc::Descriptor> pipe;
  EXPECT_EQ(Answer(&pipe).choose().choice(), 2u);
  ASSERT_TRUE(pipe);
  char pin[16];
  ASSERT_EQ(read(pipe->get(), pin, sizeof pin), 6);
  EXPECT_EQ(std::string(pin, 6), "918273");
  EXPECT_EQ(read(pipe->get(), pin, sizeof pin), 0);
}

TEST_F(ChannelTest, SendsNoPipeWithoutAPin) {
  ASSERT_TRUE(channel_.Choose(v1::Choose(), std::nullopt).ok());
  std::optional<ipc::Descriptor> pipe;
  EXPECT_TRUE(Answer(&pipe).has_choose());
  EXPECT_FALSE(pipe);
}

TEST_F(ChannelTest, SaysWhenTheAgentIsGone) {
  peer_.raw.Reset();
  EXPECT_FALSE(channel_.Leave().ok());
}

}  // namespace
}  // namespace signet::prompter
