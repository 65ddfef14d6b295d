#include "agent/prompter_tty/lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace signet::prompter_tty {
namespace {

TEST(Shorten, LeavesWhatFits) {
  EXPECT_EQ(Shorten("CN=Émile", 8, Keep::kBoth), "CN=Émile");
  EXPECT_EQ(Shorten("", 8, Keep::kEnd), "");
}

TEST(Shorten, KeepsThePartThatSaysMost) {
  const std::string text = "0123456789abcdefghij";
  EXPECT_EQ(Shorten(text, 10, Keep::kBeginning), "0123456...");
  EXPECT_EQ(Shorten(text, 10, Keep::kEnd), "...defghij");
  EXPECT_EQ(Shorten(text, 10, Keep::kBoth), "0123...hij");
}

TEST(Shorten, NeverCutsACharacterNorGoesFarOverTheBytesOfItsColumns) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "日";
  for (const Keep keep : {Keep::kBeginning, Keep::kEnd, Keep::kBoth}) {
    const std::string shortened = Shorten(text, 60, keep);
    EXPECT_LE(shortened.size(), 68u);
    EXPECT_EQ((shortened.size() - 3) % 3, 0u) << shortened;
  }
}

TEST(Shorten, CountsWhatAssuanEscapes) {
  EXPECT_EQ(Cost("a%\n"), 7u);
  EXPECT_LE(Cost(Shorten(std::string(100, '%'), 60, Keep::kBoth)), 68u);
}

TEST(Shorten, LeavesNothingThatCommandsATerminal) {
  EXPECT_EQ(Shorten("\x1b[2J", 60, Keep::kBoth), "\\x1b[2J");
}

TEST(Lines, WrapsOwnSentencesAtSpaces) {
  Lines lines(20);
  lines.Say("nobody agrees by accident here");
  EXPECT_EQ(lines.text(), "nobody agrees by\naccident here");
}

TEST(Lines, KeepsAStrangersValueOnItsLine) {
  Lines lines(30);
  lines.Add("Certificate", "CN=x\nSite: https://bank.example");
  lines.Add("Empty", "");
  lines.Add("Issued by", "CN=ca");
  EXPECT_EQ(lines.text(), "Certificate: CN=x\\x0...example\nIssued by: CN=ca");
}

}  // namespace
}  // namespace signet::prompter_tty
