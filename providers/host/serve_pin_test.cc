// How a PIN comes, and when its token is locked again.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <semaphore>
#include <string>

#include "providers/host/serve_fixture.h"

namespace signet::providers {
namespace {

using absl::StatusCode;
using backend::v1::BackendRequest;

TEST(Serve, ReadsThePinFromThePipe) {
  Counts counts;
  Agent agent(Counting(counts));
  agent.Configure("fake");
  EXPECT_TRUE(agent.UnlockWith("1234\n").has_unlock());
  EXPECT_EQ(CodeOf(agent.UnlockWith("4321")), StatusCode::kPermissionDenied);
  EXPECT_EQ(CodeOf(agent.UnlockWith("")), StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(agent.UnlockWith(std::string(300, '1'))), StatusCode::kInvalidArgument);
  agent.HangUp();
  EXPECT_EQ(counts.unlocked, 1);
}

TEST(Serve, SpendsNoTryWithoutAWholePin) {
  Counts counts;
  Agent agent(Counting(counts));
  agent.Configure("fake");
  BackendRequest unlock;
  unlock.mutable_unlock();
  EXPECT_EQ(CodeOf(agent.Call(unlock)), StatusCode::kInvalidArgument);

  const int file = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(CodeOf(agent.Call(unlock, file)), StatusCode::kInvalidArgument);
  close(file);

  int silent[2];  // its writer never closes it: the backend must not wait for ever
  ASSERT_EQ(pipe2(silent, O_CLOEXEC), 0);
  ASSERT_EQ(write(silent[1], "1234", 4), 4);
  EXPECT_EQ(CodeOf(agent.Call(unlock, silent[0])), StatusCode::kInvalidArgument);
  close(silent[0]);
  close(silent[1]);
  agent.HangUp();
  EXPECT_EQ(counts.unlocked, 0);
}

TEST(Serve, LocksTheTokenWhenItsTimeIsOverThoughNobodyCalls) {
  Counts counts;
  std::counting_semaphore<> locking(0);
  counts.locking = &locking;
  Agent agent(Counting(counts));
  agent.Configure("fake", /*pin_idle=*/60, /*pin_lifetime=*/100);
  EXPECT_EQ(agent.Describe().locks_in_ms(), 0u);
  EXPECT_EQ(agent.UnlockWith("1234").locks_in_ms(), 60'000u);
  agent.clock.Advance(std::chrono::seconds(50));
  EXPECT_EQ(agent.Describe().locks_in_ms(), 10'000u);                      // no use of it
  EXPECT_EQ(agent.Sign("key", 0x0403, "message").locks_in_ms(), 50'000u);  // the ceiling
  EXPECT_FALSE(locking.try_acquire());
  agent.clock.Advance(std::chrono::seconds(50));
  locking.acquire();
  EXPECT_EQ(agent.Describe().locks_in_ms(), 0u);
  EXPECT_EQ(agent.UnlockWith("1234").locks_in_ms(), 60'000u);  // begins anew
}

TEST(Serve, ACallThatComesAfterTheEndFindsTheTokenLocked) {
  Counts counts;
  Agent agent(Counting(counts));
  agent.Configure("fake", /*pin_idle=*/60);
  agent.UnlockWith("1234");
  agent.clock.Advance(std::chrono::hours(10));  // a suspend: the call is there with the alarm
  EXPECT_EQ(agent.Sign("key", 0x0403, "message").locks_in_ms(), 0u);
  agent.HangUp();
  EXPECT_EQ(counts.locked, 2);  // and at the end
}

TEST(Serve, WithoutALimitTheTokenStaysUnlocked) {
  Counts counts;
  Agent agent(Counting(counts));
  agent.Configure("fake");
  EXPECT_EQ(agent.UnlockWith("1234").locks_in_ms(), 0u);
  agent.clock.Advance(std::chrono::hours(1000));
  agent.Sign("key", 0x0403, "message");
  agent.HangUp();
  EXPECT_EQ(counts.locked, 1);  // at the end
}

TEST(Serve, LocksTheTokenWhenTheAgentHangsUp) {
  Counts counts;
  Agent agent(Counting(counts));
  agent.Configure("fake");
  EXPECT_EQ(agent.HangUp(), 0);
  EXPECT_EQ(counts.locked, 1);
}

TEST(BootClock, GoesOffAndCanBeSetAgain) {
  const auto clock = MakeBootClock();
  ASSERT_TRUE(clock.ok()) << clock.status();
  pollfd waiting{.fd = (*clock)->descriptor(), .events = POLLIN, .revents = 0};
  (*clock)->Set((*clock)->Now() + std::chrono::hours(1));
  EXPECT_EQ(poll(&waiting, 1, 0), 0);
  (*clock)->Set((*clock)->Now());
  EXPECT_EQ(poll(&waiting, 1, 60'000), 1);
  (*clock)->Set(std::nullopt);
  EXPECT_EQ(poll(&waiting, 1, 0), 0);
}

}  // namespace
}  // namespace signet::providers
