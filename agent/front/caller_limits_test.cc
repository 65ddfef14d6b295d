#include "agent/front/caller_limits.h"

#include <gtest/gtest.h>

#include <vector>

namespace signet::agent {
namespace {

constexpr uid_t kAlice = 1000;
constexpr uid_t kBob = 1001;

TEST(CallerLimits, RefusesWhatIsAboveTheLimit) {
  CallerLimits limits(/*max_connections=*/2, /*max_requests=*/1);
  auto first = limits.TakeConnection(kAlice);
  auto second = limits.TakeConnection(kAlice);
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(limits.TakeConnection(kAlice));
  auto request = limits.TakeRequest(kAlice);
  EXPECT_TRUE(request) << "connections and requests are counted apart";
  EXPECT_FALSE(limits.TakeRequest(kAlice));
}

TEST(CallerLimits, LeavesOtherUidsAlone) {
  CallerLimits limits(1, 1);
  auto alice = limits.TakeRequest(kAlice);
  EXPECT_FALSE(limits.TakeRequest(kAlice));
  EXPECT_TRUE(limits.TakeRequest(kBob));
}

TEST(CallerLimits, TakesBackAPlaceThatIsLeft) {
  CallerLimits limits(1, 1);
  for (int i = 0; i < 3; ++i) {
    auto place = limits.TakeConnection(kAlice);
    ASSERT_TRUE(place) << i;
    const CallerLimits::Place moved(std::move(*place));
    EXPECT_FALSE(limits.TakeConnection(kAlice)) << "moving a place must not free it";
  }
}

TEST(CallerLimits, StrangersShareTheirPlaces) {
  CallerLimits limits(1, 1);
  std::vector<CallerLimits::Place> places;
  for (size_t i = 0; i < CallerLimits::kMaxStrangersConnections; ++i) {
    places.push_back(*limits.TakeStrangersConnection());
  }
  EXPECT_FALSE(limits.TakeStrangersConnection());
  EXPECT_TRUE(limits.TakeConnection(kAlice));
  places.pop_back();
  EXPECT_TRUE(limits.TakeStrangersConnection());
}

TEST(CallerLimits, APlaceMayOutliveTheLimits) {
  std::vector<CallerLimits::Place> places;
  {
    CallerLimits limits(1, 1);
    places.push_back(*limits.TakeConnection(kAlice));
  }
  places.clear();
}

}  // namespace
}  // namespace signet::agent
