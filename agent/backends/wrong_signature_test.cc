// After a signature that its key did not make nothing is known of the token: its process ends, and
// with it the PIN.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>

#include "agent/backends/fake_backend_fixture.h"

namespace signet::agent {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class WrongSignatureTest : public BackendPoolTest {
 protected:
  void StartUnlockedCard() {
    StartFakes({Fake("card", "pin"), Fake("other")});
    RunUntilState("card", BackendState::kLocked);
    RunUntilState("other", BackendState::kReady);
    Unlock();
  }

  void Unlock() {
    const absl::Status unlocked =
        Run(pool_->Unlock("card", {}, PinPipe("1234"), LastTry::kKeep, In(kPatience)));
    ASSERT_TRUE(unlocked.ok()) << unlocked;
  }
};

TEST_F(WrongSignatureTest, EndsTheProcessThatKnowsThePin) {
  StartUnlockedCard();
  const pid_t before = StatusOf("card").pid;
  const pid_t other = StatusOf("other").pid;
  const absl::Status wrong = Run(Sign("card", "echo:wrong")).status();
  EXPECT_TRUE(absl::IsDataLoss(wrong)) << wrong;
  EXPECT_THAT(Text(wrong), HasSubstr("backend card: sign: the token made a wrong signature"));
  EXPECT_THAT(Text(wrong), HasSubstr("signet token unlock card"));

  RunUntilState("card", BackendState::kLocked);
  EXPECT_NE(StatusOf("card").pid, before);
  EXPECT_EQ(StatusOf("card").restarts, 1u);
  EXPECT_THAT(StatusOf("card").last_error, HasSubstr("wrong signature"));
  EXPECT_TRUE(absl::IsFailedPrecondition(Run(Sign("card", "echo:")).status()));
  EXPECT_EQ(StatusOf("other").pid, other);
  EXPECT_EQ(StatusOf("other").restarts, 0u);

  Unlock();
  EXPECT_EQ(Run(Sign("card", "echo:good")).value(), "good");
}

TEST_F(WrongSignatureTest, WhoComesNextIsNotServedByTheSameProcess) {
  StartUnlockedCard();
  std::optional<Signature> wrong, next;
  Launch(Sign("card", "echo:wrong"), wrong);
  Launch(Sign("card", "pid"), next);
  RunUntil([&] { return wrong && next; });
  EXPECT_TRUE(absl::IsDataLoss(wrong->status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(next->status())) << next->status();
}

TEST_F(WrongSignatureTest, EndsTheProcessWhenItsCallerHasLeftToo) {
  StartUnlockedCard();
  const std::string gate = Gate();
  asio::cancellation_signal leave;
  std::optional<Signature> left;
  asio::co_spawn(
      *loop_, [&]() -> asio::awaitable<void> { left = co_await Sign("card", "wait:" + gate); },
      asio::bind_cancellation_slot(leave.slot(), asio::detached));
  ipc::Descriptor answer = WhenAtWork(gate);
  leave.emit(asio::cancellation_type::terminal);
  RunUntil([&] { return left.has_value(); });
  EXPECT_TRUE(absl::IsCancelled(left->status()));
  ASSERT_EQ(write(answer.get(), "wrong", 5), 5);
  answer.Reset();
  RunUntil([&] { return StatusOf("card").restarts == 1; });
  RunUntilState("card", BackendState::kLocked);
}

TEST_F(WrongSignatureTest, ATokenThatNeverSignsWellBacksOffAndHarmsNoOther) {
  BackendLimits limits;
  limits.first_back_off = milliseconds(20);
  limits.longest_back_off = milliseconds(40);
  StartFakes({Fake("card"), Fake("other")}, limits);
  RunUntilState("other", BackendState::kReady);
  const pid_t other = StatusOf("other").pid;
  const auto time_to_recover = [&] {
    EXPECT_TRUE(absl::IsDataLoss(Run(Sign("card", "echo:wrong")).status()));
    const Deadline start = In(milliseconds(0));
    RunUntilState("card", BackendState::kReady);
    return In(milliseconds(0)) - start;
  };
  time_to_recover();  // at once
  for (const int least : {20, 40, 40}) EXPECT_GE(time_to_recover(), milliseconds(least));
  EXPECT_EQ(StatusOf("card").restarts, 4u);  // one for each, and none by itself
  EXPECT_EQ(Run(Sign("other", "pid")).value(), std::to_string(other));
}

}  // namespace
}  // namespace signet::agent
