#include "agent/policy/rate_limits.h"

#include <gtest/gtest.h>

#include <string>

namespace signet::agent {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr TokenBuckets::Time kNoon{seconds(1'000'000)};

int Taken(TokenBuckets& buckets, const std::string& name, uint32_t limit, TokenBuckets::Time now) {
  int taken = 0;
  while (taken < 1000 && buckets.Take(name, limit, now)) ++taken;
  return taken;
}

TEST(TokenBuckets, HoldAMinutesWorthAndRefillEvenly) {
  TokenBuckets buckets;
  EXPECT_EQ(Taken(buckets, "a", 6, kNoon), 6);
  EXPECT_EQ(Taken(buckets, "b", 6, kNoon), 6) << "each has its own";
  EXPECT_EQ(Taken(buckets, "a", 6, kNoon + seconds(9)), 0);
  EXPECT_EQ(Taken(buckets, "a", 6, kNoon + seconds(11)), 1);
  EXPECT_EQ(Taken(buckets, "a", 6, kNoon + minutes(60)), 6);
}

TEST(TokenBuckets, AreEndlessWithoutALimit) {
  TokenBuckets buckets;
  EXPECT_EQ(Taken(buckets, "a", 0, kNoon), 1000);
}

TEST(TokenBuckets, AClockSetBackNeitherGivesNorTakes) {
  TokenBuckets buckets;
  EXPECT_EQ(Taken(buckets, "a", 6, kNoon), 6);
  EXPECT_EQ(Taken(buckets, "a", 6, kNoon - minutes(60)), 0);
  EXPECT_EQ(Taken(buckets, "a", 6, kNoon - minutes(60) + seconds(31)), 3);
}

TEST(TokenBuckets, ALoweredLimitHoldsAtOnce) {
  TokenBuckets buckets;
  EXPECT_TRUE(buckets.Take("a", 100, kNoon));
  EXPECT_EQ(Taken(buckets, "a", 2, kNoon), 2);
}

TEST(TokenBuckets, TooManyNamesWaitUntilSomeAreFullAgain) {
  TokenBuckets buckets;
  for (size_t i = 0; i < TokenBuckets::kMaxBuckets; ++i) {
    ASSERT_TRUE(buckets.Take(std::to_string(i), 1, kNoon));
  }
  EXPECT_FALSE(buckets.Take("new", 1, kNoon));
  EXPECT_TRUE(buckets.Take("new", 1, kNoon + minutes(2)));
}

TEST(CallerNames, AreUidAndProgramAndOneForAllThatAreUnknown) {
  CallerNames names;
  Caller unknown, curl, other_user;
  unknown.uid = curl.uid = 1000;
  curl.executable = Executable{1, 2, "/usr/bin/curl"};
  other_user = curl;
  other_user.uid = 1001;
  const std::string of_curl = names.NameOf(curl);
  EXPECT_NE(of_curl, names.NameOf(unknown));
  EXPECT_NE(of_curl, names.NameOf(other_user));
  curl.pid = 7;
  EXPECT_EQ(of_curl, names.NameOf(curl));
}

TEST(CallerNames, OfMoreProgramsThanAFewAreThatOfTheUid) {
  CallerNames names;
  Caller unknown, caller;
  caller.executable = Executable{1, 0, "/tmp/copy"};
  const std::string first = names.NameOf(caller);
  for (ino_t i = 1; i < CallerNames::kMaxProgramsPerUid; ++i) {
    caller.executable->inode = i;
    EXPECT_NE(names.NameOf(caller), names.NameOf(unknown));
  }
  caller.executable->inode = CallerNames::kMaxProgramsPerUid;
  EXPECT_EQ(names.NameOf(caller), names.NameOf(unknown));
  caller.executable->inode = 0;
  EXPECT_EQ(names.NameOf(caller), first);
}

}  // namespace
}  // namespace signet::agent
