#include "ipc/audit/chain.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace signet::audit {
namespace {

TEST(Chain, HashesAsFips180DoesIt) {
  // FIPS 180-4, example "abc".
  EXPECT_EQ(ToHex(HashOf("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Chain, ReadsTheHashesItWritesInEitherCase) {
  const std::string hex = ToHex(HashOf("abc"));
  std::string upper = hex;
  for (char& c : upper) c = static_cast<char>(toupper(c));
  EXPECT_EQ(HashFromHex(hex), HashOf("abc"));
  EXPECT_EQ(HashFromHex(upper), HashOf("abc"));
  EXPECT_EQ(HashFromHex(hex.substr(1)), std::nullopt);
  EXPECT_EQ(HashFromHex(hex + "0"), std::nullopt);
  EXPECT_EQ(HashFromHex("g" + hex.substr(1)), std::nullopt);
}

TEST(Chain, EachLineNamesTheHashOfTheOneBefore) {
  Head head;
  const std::string one = AppendLine(head, {{"event", "start"}});
  EXPECT_EQ(one, R"({"seq":1,"prev":")" + std::string(64, '0') + R"(","event":"start"})");
  EXPECT_EQ(head, (Head{1, HashOf(one)}));
  const std::string two = AppendLine(head, {{"uid", 1000}});
  EXPECT_EQ(two, R"({"seq":2,"prev":")" + ToHex(HashOf(one)) + R"(","uid":1000})");
  EXPECT_EQ(head, (Head{2, HashOf(two)}));
}

TEST(Chain, ReadsBackWhatItWrote) {
  Head head{41, HashOf("before")};
  const std::string line = AppendLine(head, {{"event", "unlock"}, {"uid", 1000}});
  const std::optional<Record> record = ParseLine(line);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->seq, 42u);
  EXPECT_EQ(record->prev, HashOf("before"));
  EXPECT_EQ(record->Text("event"), "unlock");
  EXPECT_EQ(record->Text("uid"), "") << "not a text";
  EXPECT_EQ(record->Text("origin"), "");
}

TEST(Chain, ALineHoldsNeitherNewlinesNorWhatCommandsATerminal) {
  Head head;
  const std::string line =
      AppendLine(head, {{"origin", "a\n\x1b[2J\xc2\x9b\xff\"}\0 b" + std::string(1, '\0')}});
  for (const unsigned char c : line) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << line;
  EXPECT_TRUE(ParseLine(line)) << line;
}

TEST(Chain, WhatIsNoRecordIsRecognised) {
  Head head;
  const std::string line = AppendLine(head, {{"event", "start"}});
  ASSERT_TRUE(ParseLine(line));
  for (size_t size = 0; size < line.size(); ++size) {
    EXPECT_FALSE(ParseLine(line.substr(0, size))) << size;
  }
  const std::string prev(64, '0');
  const std::vector<std::string> others = {std::string("[]"),
                                           std::string("1"),
                                           line + line,
                                           line + "x",
                                           std::string(10, '\0'),
                                           std::string(100'000, '['),
                                           R"({"seq":0,"prev":")" + prev + "\"}",
                                           R"({"seq":-1,"prev":")" + prev + "\"}",
                                           R"({"seq":1.5,"prev":")" + prev + "\"}",
                                           R"({"seq":"1","prev":")" + prev + "\"}",
                                           R"({"seq":1,"prev":")" + prev + "0\"}",
                                           R"({"seq":1})",
                                           R"({"prev":")" + prev + "\"}"};
  for (const std::string& other : others) {
    EXPECT_FALSE(ParseLine(other)) << other.substr(0, 200);
  }
}

}  // namespace
}  // namespace signet::audit
