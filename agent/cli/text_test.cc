#include "agent/cli/text.h"

#include <gtest/gtest.h>

#include <sstream>

namespace signet::cli {
namespace {

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
