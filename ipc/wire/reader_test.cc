#include "ipc/wire/reader.h"

#include <gtest/gtest.h>

#include "tests/support/hex.h"

namespace signet::wire {
namespace {

using ::signet::testing::FromHex;
using ::signet::testing::ToHex;

TEST(ReaderTest, ReadsIntegersBigEndian) {
  const Bytes bytes = FromHex("01 0203 040506 0708090a");
  Reader reader(bytes);
  uint8_t u8;
  uint16_t u16;
  uint32_t u24, u32;
  ASSERT_TRUE(reader.ReadU8(u8) && reader.ReadU16(u16) && reader.ReadU24(u24) &&
              reader.ReadU32(u32));
  EXPECT_EQ(u8, 0x01);
  EXPECT_EQ(u16, 0x0203);
  EXPECT_EQ(u24, 0x040506u);
  EXPECT_EQ(u32, 0x0708090au);
  EXPECT_TRUE(reader.empty());
}

TEST(ReaderTest, ReadsTheVarintsOfRfc9000AppendixA) {
  struct Case {
    const char* bytes;
    uint64_t value;
  };
  for (const Case& c :
       {Case{"c2197c5eff14e88c", 151288809941952652}, Case{"9d7f3e7d", 494878333},
        Case{"7bbd", 15293}, Case{"25", 37}, Case{"4025", 37},
        Case{"ffffffffffffffff", (uint64_t{1} << 62) - 1}, Case{"00", 0}, Case{"8000000000", 0}}) {
    const Bytes bytes = FromHex(c.bytes);
    Reader reader(bytes);
    uint64_t value;
    ASSERT_TRUE(reader.ReadVarint(value)) << c.bytes;
    EXPECT_EQ(value, c.value) << c.bytes;
  }
}

TEST(ReaderTest, ReadsVectorsAsViewsIntoTheBytes) {
  const Bytes bytes = FromHex("02aabb 0001cc 000000 ff");
  Reader reader(bytes);
  BytesView v8, v16, v24;
  ASSERT_TRUE(reader.ReadVector8(v8) && reader.ReadVector16(v16) && reader.ReadVector24(v24));
  EXPECT_EQ(ToHex(v8), "aabb");
  EXPECT_EQ(v8.data(), bytes.data() + 1);
  EXPECT_EQ(ToHex(v16), "cc");
  EXPECT_TRUE(v24.empty());
  EXPECT_EQ(ToHex(reader.rest()), "ff");
}

// Every read against every input that is too short for it.
TEST(ReaderTest, AFailedReadMovesNothingAndWritesNothing) {
  for (const char* input : {"", "05", "05ff", "0005ff", "000005ff", "c0ffffffffffff"}) {
    const Bytes bytes = FromHex(input);
    const Bytes untouched = FromHex("77");
    Reader reader(bytes);
    uint32_t integer = 0x77;
    uint64_t varint = 0x77;
    BytesView view = untouched;
    if (bytes.size() < 4) {
      EXPECT_FALSE(reader.ReadU32(integer)) << input;
    }
    if (bytes.size() < 3) {
      EXPECT_FALSE(reader.ReadU24(integer)) << input;
    }
    if (bytes.empty() || bytes[0] == 0xc0) {
      EXPECT_FALSE(reader.ReadVarint(varint)) << input;
    }
    if (bytes.size() < 2 || bytes[0] == 5) {
      EXPECT_FALSE(reader.ReadVector8(view)) << input;
    }
    if (bytes.size() < 4) {
      EXPECT_FALSE(reader.ReadVector16(view)) << input;
    }
    EXPECT_FALSE(reader.ReadVector24(view)) << input;
    EXPECT_FALSE(reader.ReadBytes(bytes.size() + 1, view)) << input;
    EXPECT_EQ(reader.remaining(), bytes.size()) << input;
    EXPECT_EQ(integer, 0x77u);
    EXPECT_EQ(varint, 0x77u);
    EXPECT_EQ(view.data(), untouched.data());
  }
}

}  // namespace
}  // namespace signet::wire
