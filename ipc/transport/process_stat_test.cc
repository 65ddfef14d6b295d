#include "ipc/transport/process_stat.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace signet::ipc {
namespace {

constexpr char kAfterName[] =
    "S 7 4 4 0 -1 4194560 3 0 0 0 1 2 0 0 20 0 1 0 987654 5 6 18446744073709551615 1 1\n";

TEST(ProcessStat, IsReadFromALine) {
  const auto stat = ParseProcessStat(std::string("42 (cat) ") + kAfterName);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->name, "cat");
  EXPECT_EQ(stat->parent, 7);
  EXPECT_EQ(stat->start_time, 987654U);
}

TEST(ProcessStat, ANameMayPretendToBeTheRestOfTheLine) {
  for (const std::string name : {"a) S 1 1", "(", ")", "a b", "", "x\n) R 1"}) {
    const auto stat = ParseProcessStat("42 (" + name + ") " + kAfterName);
    ASSERT_TRUE(stat) << name;
    EXPECT_EQ(stat->name, name);
    EXPECT_EQ(stat->parent, 7);
    EXPECT_EQ(stat->start_time, 987654U);
  }
}

TEST(ProcessStat, ALineThatIsNoneIsNothing) {
  for (const char* line :
       {"", "42", "42 (cat", "42 (cat)", "42 (cat) ", ") (", ") ( S", "42 (cat) S x 4 4",
        "42 (cat) S 7 4 4 0 -1", "42 (cat) S 7 4 4 0 -1 4194560 3 0 0 0 1 2 0 0 20 0 1 0",
        "42 (cat) S 7 4 4 0 -1 4194560 3 0 0 0 1 2 0 0 20 0 1 0 later 5",
        "42 (cat) S 99999999999 4 4 0 -1 4194560 3 0 0 0 1 2 0 0 20 0 1 0 9 5"}) {
    EXPECT_FALSE(ParseProcessStat(line)) << line;
  }
}

TEST(ProcessStat, TheEffectiveUserIsTheSecond) {
  EXPECT_EQ(EffectiveUidOfStatus("Name:\tcat\nUid:\t1\t1000\t3\t4\nGid:\t5\t6\t7\t8\n"), 1000U);
  EXPECT_EQ(EffectiveUidOfStatus("Name:\tUid:\t1\t2\t\nUid:\t7\t0\t0\t0\n"), 0U);
  for (const char* status : {"", "Name:\tcat\n", "\nUid:\t1", "\nUid:\t1\t", "\nUid:\t1\tx\t2",
                             "\nUid:\t1\t-1\t2", "\nUid:\t1\t99999999999\t2"}) {
    EXPECT_FALSE(EffectiveUidOfStatus(status)) << status;
  }
  EXPECT_EQ(EffectiveUidOfStatus(*ReadKernelFile("/proc/self/status", 8192)), geteuid());
}

TEST(ProcessStat, TellsOfThisProcess) {
  const auto stat = ReadProcessStat(getpid());
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->parent, getppid());
  EXPECT_EQ(stat->name, std::string("signet_transport_test").substr(0, 15));
  EXPECT_FALSE(ReadProcessStat(-1));
}

}  // namespace
}  // namespace signet::ipc
