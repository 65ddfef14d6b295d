#include "providers/host/pin_lifetime.h"

#include <gtest/gtest.h>

namespace signet::providers {
namespace {

using std::chrono::seconds;
using Limits = PinLifetime::Limits;

TEST(PinLifetime, ALockedTokenHasNone) {
  PinLifetime lifetime(Limits{.idle = seconds(10), .total = seconds(100)});
  EXPECT_EQ(lifetime.end(), std::nullopt);
  lifetime.Note(/*unlocked=*/false, /*used=*/true, seconds(1));
  EXPECT_EQ(lifetime.end(), std::nullopt);
}

TEST(PinLifetime, EachUseMovesTheEndUpToTheCeiling) {
  PinLifetime lifetime(Limits{.idle = seconds(10), .total = seconds(25)});
  lifetime.Note(true, false, seconds(100));
  EXPECT_EQ(lifetime.end(), seconds(110));
  lifetime.Note(true, true, seconds(108));
  EXPECT_EQ(lifetime.end(), seconds(118));
  lifetime.Note(true, true, seconds(117));
  EXPECT_EQ(lifetime.end(), seconds(125));
}

TEST(PinLifetime, LookingIsNoUse) {
  PinLifetime lifetime(Limits{.idle = seconds(10), .total = seconds(100)});
  lifetime.Note(true, false, seconds(100));
  lifetime.Note(true, false, seconds(105));
  EXPECT_EQ(lifetime.end(), seconds(110));
}

TEST(PinLifetime, BeginsAnewWithTheNextUnlock) {
  PinLifetime lifetime(Limits{.idle = seconds(0), .total = seconds(100)});
  lifetime.Note(true, false, seconds(0));
  lifetime.Note(false, false, seconds(50));
  lifetime.Note(true, false, seconds(60));
  EXPECT_EQ(lifetime.end(), seconds(160));
}

TEST(PinLifetime, WithoutLimitsLastsForEver) {
  PinLifetime lifetime(Limits{});
  lifetime.Note(true, true, seconds(1));
  EXPECT_EQ(lifetime.end(), std::nullopt);
  PinLifetime idle(Limits{.idle = seconds(10), .total = seconds(0)});
  idle.Note(true, true, seconds(1));
  EXPECT_EQ(idle.end(), seconds(11));
}

}  // namespace
}  // namespace signet::providers
