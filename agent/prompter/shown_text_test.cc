#include "agent/prompter/shown_text.h"

#include <glib.h>
#include <gtest/gtest.h>

#include <string>

namespace signet::prompter {
namespace {

struct Case {
  const char* name;
  std::string given;
  std::string shown;
};

class ShownTextTest : public testing::TestWithParam<Case> {};

TEST_P(ShownTextTest, LeavesNothingHidden) {
  EXPECT_EQ(Shown(GetParam().given, 200), GetParam().shown);
}

INSTANTIATE_TEST_SUITE_P(
    Texts, ShownTextTest,
    testing::Values(
        Case{"Plain", "CN=Alice Müller, O=Exämple", "CN=Alice Müller, O=Exämple"},
        Case{"Markup", "<b>safe</b> & sound", "<b>safe</b> & sound"},
        Case{"LineBreak", "one\ntwo\r\n", "one\\x0atwo\\x0d\\x0a"},
        Case{"Nul", std::string("a\0b", 3), "a\\x00b"}, Case{"Escape", "\x1b[2J", "\\x1b[2J"},
        Case{"C1", "a\u0085b", "a\\u{85}b"},
        Case{"RightToLeftOverride", "evil\u202Emoc.knab", "evil\\u{202e}moc.knab"},
        Case{"Isolates", "\u2066x\u2069", "\\u{2066}x\\u{2069}"},
        Case{"ZeroWidth", "pay\u200Bpal\uFEFF", "pay\\u{200b}pal\\u{feff}"},
        Case{"LineSeparator", "a\u2028b", "a\\u{2028}b"}, Case{"Tag", "a\U000E0041", "a\\u{e0041}"},
        Case{"PrivateUse", "\uE000", "\\u{e000}"}, Case{"Filler", "a\u3164b", "a\\u{3164}b"},
        Case{"Spaces", "a \u00A0\u3000  b", "a b"},
        Case{"Accents", "e\u0301\u0302", "e\u0301\u0302"},
        Case{"StackOfMarks", "e\u0301\u0302\u0303\u0304", "e\u0301\u0302\\u{303}\\u{304}"},
        Case{"NotUtf8", "a\xFF\xC3", "a\\xff\\xc3"},
        Case{"Surrogate", "\xED\xA0\x80", "\\xed\\xa0\\x80"}, Case{"Empty", "", ""}),
    [](const testing::TestParamInfo<Case>& instance) { return instance.param.name; });

TEST(ShownTextTest, KeepsBeginningAndEndOfWhatIsTooLong) {
  EXPECT_EQ(Shown("0123456789", 10), "0123456789");
  EXPECT_EQ(Shown("0123456789A", 10), "0123…6789A");
  EXPECT_EQ(Shown("ääääääääääää", 5), "ää…ää");
}

TEST(ShownTextTest, IsNeverLongerThanTheLimit) {
  const std::string text = Shown(std::string(100'000, '\x01') + std::string(100'000, 'x'), 80);
  EXPECT_LE(g_utf8_strlen(text.c_str(), -1), 80);
  EXPECT_TRUE(g_utf8_validate(text.data(), static_cast<gssize>(text.size()), nullptr));
}

TEST(ShownOriginTest, ShowsLettersOfOtherScriptsAsWhatTheyAre) {
  EXPECT_EQ(ShownOrigin("https://ex\u0430mple.com", 200), "https://ex\\u{430}mple.com");
  EXPECT_EQ(ShownOrigin("https://a\u0301", 200), "https://a\\u{301}");
}

}  // namespace
}  // namespace signet::prompter
