#include "agent/cli/text.h"

#include <gtest/gtest.h>

#include <sstream>

namespace signet::cli {
namespace {

TEST(PrintableTest, LeavesTextAlone) {
  for (const char* text : {"", "CN=laptop, O=Émile & Söhne", "日本語", "a\\b", "😀"}) {
    EXPECT_EQ(Printable(text), text);
  }
}

TEST(PrintableTest, EscapesWhatCommandsATerminalOrMisleads) {
  struct Case {
    std::string text;
    const char* printable;
  };
  for (const Case& c : {
           Case{"\x1b[2J", "\\x1b[2J"}, Case{"a\nb\r\t", "a\\x0ab\\x0d\\x09"},
           Case{std::string("\0\x7f", 2), "\\x00\\x7f"},
           Case{"\xc2\x9b"
                "31m",
                "\\u{9b}31m"},  // C1 control sequence introducer
           Case{"\xe2\x80\xae"
                "gpj",
                "\\u{202e}gpj"},                              // right-to-left override
           Case{"\xe2\x80\xa8", "\\u{2028}"},                 // line separator
           Case{"\xff\xfe", "\\xff\\xfe"},                    // not UTF-8
           Case{"\xc0\x8a", "\\xc0\\x8a"},                    // overlong newline
           Case{"\xe0\x80\x9b", "\\xe0\\x80\\x9b"},           // overlong C1
           Case{"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // surrogate
           Case{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // above U+10FFFF
           Case{"x\xe2\x80", "x\\xe2\\x80"},                  // cut short
       }) {
    EXPECT_EQ(Printable(c.text), c.printable);
  }
}

TEST(PrintableTest, KeepsNewlinesOfPemOnly) {
  EXPECT_EQ(PrintableLines("a\nb\x1b\n"), "a\nb\\x1b\n");
}

TEST(TableTest, AlignsColumnsByCharacters) {
  Table table({"NAME", "KIND", "LAST"});
  table.Add({"é", "user", "x"});
  table.Add({"a longer name", "", ""});
  table.Add({"\x1b", "device", "y"});
  std::ostringstream out;
  table.Print(out);
  EXPECT_EQ(out.str(),
            "NAME           KIND    LAST\n"
            "é              user    x\n"
            "a longer name\n"
            "\\x1b           device  y\n");
}

TEST(TableTest, PaintsCellsWithoutShiftingColumns) {
  Table table({"STATE", "NAME"});
  table.Add({Cell("ready", Tone::kGood), "a"});
  table.Add({Cell("no\x1b", Tone::kBad), ""});
  std::ostringstream plain, painted;
  table.Print(plain);
  table.Print(painted, true);
  EXPECT_EQ(plain.str(),
            "STATE   NAME\n"
            "ready   a\n"
            "no\\x1b\n");
  EXPECT_EQ(painted.str(),
            "STATE   NAME\n"
            "\033[32mready\033[0m   a\n"
            "\033[31mno\\x1b\033[0m\n");
}

}  // namespace
}  // namespace signet::cli
