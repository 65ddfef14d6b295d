#include "ipc/wire/handshake.h"

#include <gtest/gtest.h>

#include "tests/support/hex.h"

namespace signet::wire {
namespace {

using ::signet::testing::FromHex;
using ::signet::testing::ToHex;

TEST(HandshakeTest, ReadsOneMessageAfterTheOther) {
  const Bytes bytes = FromHex("0b000002aabb 14000000 ff");
  Reader reader(bytes);
  const auto first = ReadHandshakeMessage(reader);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->type, HandshakeType::kCertificate);
  EXPECT_EQ(ToHex(first->body), "aabb");
  EXPECT_EQ(ToHex(first->whole), "0b000002aabb");
  const auto second = ReadHandshakeMessage(reader);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->type, HandshakeType::kFinished);
  EXPECT_TRUE(second->body.empty());
  EXPECT_EQ(ToHex(second->whole), "14000000");
  const auto third = ReadHandshakeMessage(reader);
  ASSERT_FALSE(third.ok());
  EXPECT_EQ(third.error(), Error::kTruncated);
  EXPECT_EQ(reader.remaining(), 1u);
}

TEST(HandshakeTest, ReportsEveryTruncation) {
  const Bytes bytes = FromHex("0b000002aabb");
  for (size_t size = 0; size < bytes.size(); ++size) {
    Reader reader(BytesView(bytes).first(size));
    EXPECT_FALSE(ReadHandshakeMessage(reader).ok()) << size;
    EXPECT_EQ(reader.remaining(), size);
  }
}

TEST(HandshakeTest, BuildsHeaderAndBody) {
  const auto message = BuildHandshakeMessage(HandshakeType::kCertificateVerify, FromHex("aabbcc"));
  ASSERT_TRUE(message.ok());
  EXPECT_EQ(ToHex(*message), "0f000003aabbcc");
}

TEST(HandshakeTest, RefusesABodyThatDoesNotFit) {
  const auto message = BuildHandshakeMessage(HandshakeType::kFinished, Bytes(1 << 24));
  ASSERT_FALSE(message.ok());
  EXPECT_EQ(message.error(), Error::kTooLong);
}

}  // namespace
}  // namespace signet::wire
