#include "ipc/wire/framing.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/hex.h"

namespace signet::wire {
namespace {

using ::signet::testing::FromHex;
using ::signet::testing::ToHex;

Bytes Framed(const std::vector<Bytes>& messages) {
  Bytes stream;
  for (const Bytes& message : messages) EXPECT_TRUE(AppendMessage(message, stream));
  return stream;
}

TEST(FramingTest, PutsTheLengthBeforeTheMessage) {
  EXPECT_EQ(ToHex(Framed({FromHex("aabbcc"), {}})), "00000003aabbcc00000000");
}

TEST(FramingTest, RefusesToFrameAnOversizedMessage) {
  Bytes stream = FromHex("77");
  EXPECT_FALSE(AppendMessage(Bytes(kMaxMessageSize + 1), stream));
  EXPECT_EQ(ToHex(stream), "77");
  EXPECT_TRUE(AppendMessage(Bytes(kMaxMessageSize), stream));
}

TEST(FramingTest, CutsTheStreamWhereverItWasCutBefore) {
  const std::vector<Bytes> messages = {FromHex("aa"), {}, Bytes(300, 0xbb), FromHex("ccdd")};
  const Bytes stream = Framed(messages);
  for (size_t chunk = 1; chunk <= stream.size(); ++chunk) {
    MessageReader reader;
    std::vector<Bytes> got;
    for (size_t at = 0; at < stream.size(); at += chunk) {
      reader.Feed(BytesView(stream).subspan(at, std::min(chunk, stream.size() - at)));
      while (auto message = reader.Next()) got.push_back(*std::move(message));
    }
    EXPECT_EQ(got, messages) << chunk;
    EXPECT_FALSE(reader.in_message());
    EXPECT_FALSE(reader.broken());
  }
}

TEST(FramingTest, KnowsAnIncompleteMessage) {
  const Bytes stream = FromHex("00000002aabb");
  for (size_t size = 1; size < stream.size(); ++size) {
    MessageReader reader;
    EXPECT_FALSE(reader.in_message());
    reader.Feed(BytesView(stream).first(size));
    EXPECT_FALSE(reader.Next()) << size;
    EXPECT_TRUE(reader.in_message()) << size;
    reader.Feed(BytesView(stream).subspan(size));
    EXPECT_TRUE(reader.Next()) << size;
    EXPECT_FALSE(reader.in_message()) << size;
  }
}

TEST(FramingTest, BreaksOnAnOversizedPrefix) {
  for (const char* prefix : {"00040001", "ffffffff", "80000000"}) {
    MessageReader reader;
    reader.Feed(FromHex(prefix));
    EXPECT_TRUE(reader.broken()) << prefix;
    reader.Feed(FromHex("00000001aa"));
    EXPECT_FALSE(reader.Next()) << prefix;
    EXPECT_TRUE(reader.broken());
    EXPECT_FALSE(reader.in_message());
  }
  MessageReader reader;
  reader.Feed(FromHex("00040000"));
  EXPECT_FALSE(reader.broken());
}

TEST(FramingTest, GivesOutWhatCameBeforeAnOversizedPrefix) {
  MessageReader reader;
  reader.Feed(FromHex("00000001aa 00000001bb ffffffff"));
  EXPECT_FALSE(reader.broken());
  EXPECT_EQ(ToHex(*reader.Next()), "aa");
  EXPECT_EQ(ToHex(*reader.Next()), "bb");
  EXPECT_TRUE(reader.broken());
  EXPECT_FALSE(reader.Next());
}

// Moving the rest of the buffer for each message would take hours here.
TEST(FramingTest, TakesManySmallMessagesInLinearTime) {
  constexpr size_t kMessages = 1 << 20;
  const Bytes one = FromHex("00000001aa");
  Bytes stream;
  stream.reserve(kMessages * one.size());
  for (size_t i = 0; i < kMessages; ++i) stream.insert(stream.end(), one.begin(), one.end());
  MessageReader reader;
  reader.Feed(stream);
  size_t taken = 0;
  while (reader.Next()) ++taken;
  EXPECT_EQ(taken, kMessages);
}

}  // namespace
}  // namespace signet::wire
