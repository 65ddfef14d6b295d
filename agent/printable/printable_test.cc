#include "agent/printable/printable.h"

#include <gtest/gtest.h>

namespace signet {
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

TEST(PrintableTest, ShowsWhatHasNoShape) {
  EXPECT_EQ(Printable("ad\u00admin"), "ad\\u{ad}min");
  EXPECT_EQ(Printable("a\u200bb\u2060\ufeff\U000e0041"), "a\\u{200b}b\\u{2060}\\u{feff}\\u{e0041}");
}

TEST(PrintableTest, WritesOriginsInAscii) {
  EXPECT_EQ(PrintableAscii("https://b\u0430nk.example\n"), "https://b\\u{430}nk.example\\x0a");
}

TEST(PrintableTest, KeepsNewlinesOfPemOnly) {
  EXPECT_EQ(PrintableLines("a\nb\x1b\n"), "a\nb\\x1b\n");
}

}  // namespace
}  // namespace signet
