#include "ipc/wire/writer.h"

#include <gtest/gtest.h>

#include "ipc/wire/reader.h"
#include "tests/support/hex.h"

namespace signet::wire {
namespace {

using ::signet::testing::FromHex;
using ::signet::testing::ToHex;

TEST(WriterTest, WritesIntegersBigEndian) {
  Writer writer;
  writer.U8(0x01);
  writer.U16(0x0203);
  writer.U24(0x040506);
  writer.U32(0x0708090a);
  ASSERT_TRUE(writer.ok());
  EXPECT_EQ(ToHex(writer.bytes()), "0102030405060708090a");
}

TEST(WriterTest, WritesVectorsBehindTheirLength) {
  const Bytes content = FromHex("aabb");
  Writer writer;
  writer.Vector8(content);
  writer.Vector16(content);
  writer.Vector24({});
  writer.Append(content);
  EXPECT_EQ(ToHex(writer.Take()), "02aabb0002aabb000000aabb");
}

TEST(WriterTest, WritesTheShortestVarintThatReadsBack) {
  struct Case {
    uint64_t value;
    size_t size;
  };
  for (const Case& c :
       {Case{0, 1}, Case{63, 1}, Case{64, 2}, Case{16383, 2}, Case{16384, 4},
        Case{(1u << 30) - 1, 4}, Case{1u << 30, 8}, Case{(uint64_t{1} << 62) - 1, 8}}) {
    Writer writer;
    writer.Varint(c.value);
    ASSERT_TRUE(writer.ok()) << c.value;
    EXPECT_EQ(writer.bytes().size(), c.size) << c.value;
    Reader reader(writer.bytes());
    uint64_t value;
    ASSERT_TRUE(reader.ReadVarint(value)) << c.value;
    EXPECT_EQ(value, c.value);
    EXPECT_TRUE(reader.empty());
  }
}

TEST(WriterTest, RefusesAValueThatDoesNotFitItsField) {
  Writer u24;
  u24.U24(1u << 24);
  EXPECT_FALSE(u24.ok());
  Writer varint;
  varint.Varint(uint64_t{1} << 62);
  EXPECT_FALSE(varint.ok());
  Writer vector8;
  vector8.Vector8(Bytes(256));
  EXPECT_FALSE(vector8.ok());
  Writer vector16;
  vector16.Vector16(Bytes(1 << 16));
  EXPECT_FALSE(vector16.ok());
  Writer vector24;
  vector24.Vector24(Bytes(1 << 24));
  EXPECT_FALSE(vector24.ok());
  Writer largest;
  largest.Vector8(Bytes(255));
  EXPECT_TRUE(largest.ok());
}

TEST(WriterTest, IgnoresWhatFollowsAFailure) {
  Writer writer;
  writer.U8(1);
  writer.Vector8(Bytes(256));
  writer.U8(2);
  writer.Varint(3);
  EXPECT_FALSE(writer.ok());
  EXPECT_EQ(ToHex(writer.bytes()), "01");
  Writer failed;
  failed.Fail();
  failed.Append(Bytes(3));
  EXPECT_FALSE(failed.ok());
  EXPECT_TRUE(failed.bytes().empty());
}

}  // namespace
}  // namespace signet::wire
