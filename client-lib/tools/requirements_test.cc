#include "client-lib/tools/requirements.h"

#include <gtest/gtest.h>

namespace signet::tools {
namespace {

PathRule Rule(const std::string& path, Mode mode, bool exact = false) {
  PathRule rule;
  rule.path = path;
  rule.mode = mode;
  rule.exact = exact;
  return rule;
}

TEST(Requirements, TheLongestRuleDecidesInAnyOrder) {
  for (bool shortest_first : {true, false}) {
    Requirements requirements;
    std::vector<PathRule> rules = {Rule("/", Mode::kOffer), Rule("/a", Mode::kRequire),
                                   Rule("/a/b", Mode::kNone)};
    if (!shortest_first) std::swap(rules.front(), rules.back());
    for (PathRule& rule : rules) EXPECT_TRUE(requirements.AddRule(std::move(rule)));
    EXPECT_EQ(requirements.For("/").mode, Mode::kOffer);
    EXPECT_EQ(requirements.For("/ab").mode, Mode::kOffer);
    EXPECT_EQ(requirements.For("/a").mode, Mode::kRequire);
    EXPECT_EQ(requirements.For("/a/").mode, Mode::kRequire);
    EXPECT_EQ(requirements.For("/a/bc").mode, Mode::kRequire);
    EXPECT_EQ(requirements.For("/a/b/c").mode, Mode::kNone);
  }
}

TEST(Requirements, AnExactRuleHoldsForItsPathOnly) {
  Requirements requirements;
  EXPECT_TRUE(requirements.AddRule(Rule("/a", Mode::kOffer)));
  EXPECT_TRUE(requirements.AddRule(Rule("/a", Mode::kRequire, true)));
  EXPECT_FALSE(requirements.AddRule(Rule("/a", Mode::kNone, true)));
  EXPECT_FALSE(requirements.AddRule(Rule("/a", Mode::kNone)));
  EXPECT_EQ(requirements.For("/a").mode, Mode::kRequire);
  EXPECT_EQ(requirements.For("/a/").mode, Mode::kOffer);
  EXPECT_EQ(requirements.For("/b").mode, Mode::kNone);
}

}  // namespace
}  // namespace signet::tools
