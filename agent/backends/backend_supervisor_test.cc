// Processes that end, hang or do not start: whom it harms, and that there is a next one.
#include "agent/backends/backend_supervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/backends/fake_backend_fixture.h"

namespace signet::agent {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(BackendPoolTest, CrashFailsTheCallInFlightOnly) {
  StartFakes({Fake("tpm")});
  std::optional<Signature> crashing, next;
  Launch(Sign("tpm", "crash"), crashing);
  Launch(Sign("tpm", "echo:next"), next);
  RunUntil([&] { return crashing && next; });
  EXPECT_TRUE(absl::IsUnavailable(crashing->status()));
  EXPECT_THAT(Text(crashing->status()), HasSubstr("backend tpm: sign: signet-backend was ended by "
                                                  "signal 9 (Killed)"));
  EXPECT_EQ(next->value(), "next");
  EXPECT_EQ(StatusOf("tpm").restarts, 1U);
}

TEST_F(BackendPoolTest, KillDuringACallFailsItAndTheNextOneWorks) {
  StartFakes({Fake("tpm")});
  const std::string gate = Gate();
  std::optional<Signature> killed;
  Launch(Sign("tpm", "wait:" + gate), killed);
  const ipc::Descriptor fifo = WhenAtWork(gate);
  kill(StatusOf("tpm").pid, SIGKILL);
  RunUntil([&] { return killed.has_value(); });
  EXPECT_TRUE(absl::IsUnavailable(killed->status())) << killed->status();
  EXPECT_EQ(Run(Sign("tpm", "echo:again")).value(), "again");
}

TEST_F(BackendPoolTest, KillWhileIdleIsNoticedWithoutACall) {
  StartFakes({Fake("tpm")});
  RunUntilState("tpm", BackendState::kReady);
  const pid_t first = StatusOf("tpm").pid;
  kill(first, SIGKILL);
  RunUntil([&] { return StatusOf("tpm").restarts == 1; });
  RunUntilState("tpm", BackendState::kReady);
  EXPECT_NE(StatusOf("tpm").pid, first);
  EXPECT_THAT(StatusOf("tpm").last_error, HasSubstr("signal 9"));
}

TEST_F(BackendPoolTest, HangPastTheDeadlineIsKilled) {
  BackendLimits limits;
  limits.shortest_call = milliseconds(0);
  StartFakes({Fake("tpm")}, limits);
  RunUntilState("tpm", BackendState::kReady);
  const pid_t first = StatusOf("tpm").pid;
  const absl::Status status = RunPastItsDeadline("tpm", "hang");
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_EQ(Run(Sign("tpm", "echo:again")).value(), "again");
  EXPECT_EQ(kill(first, 0), -1);
  EXPECT_EQ(StatusOf("tpm").restarts, 1U);
}

TEST_F(BackendPoolTest, ACallerInAHurryGetsNoHealthyTokenKilled) {
  BackendLimits limits;
  limits.shortest_call = kPatience;
  StartFakes({Fake("card", "pin")}, limits);
  RunUntilState("card", BackendState::kLocked);
  ASSERT_TRUE(Run(pool_->Unlock("card", {}, PinPipe("1234"), LastTry::kKeep, In(kPatience))).ok());
  const std::string gate = Gate();
  const absl::Status slow = RunPastItsDeadline("card", "wait:" + gate);
  EXPECT_TRUE(absl::IsDeadlineExceeded(slow)) << slow;
  ipc::Descriptor fifo = WhenAtWork(gate);
  // Longer than a hang was once given.
  std::optional<Signature> next;
  Launch(Sign("card", "echo:next", In(kPatience)), next);
  const Deadline later = In(milliseconds(500));
  RunUntil([&] { return In(milliseconds(0)) > later; });
  fifo.Reset();
  RunUntil([&] { return next.has_value(); });
  EXPECT_TRUE(next->ok()) << next->status();
  EXPECT_EQ(StatusOf("card").restarts, 0U);
}

TEST_F(BackendPoolTest, OtherBackendNeverNoticesAHangOrACrash) {
  BackendLimits limits;
  limits.shortest_call = milliseconds(0);
  StartFakes({Fake("tpm"), Fake("card")}, limits);
  const std::string gate = Gate();
  std::optional<Signature> hanging;
  Launch(Sign("tpm", "wait:" + gate), hanging);
  const ipc::Descriptor at_work = WhenAtWork(gate);
  const std::string pid = Run(Sign("card", "pid")).value();
  EXPECT_FALSE(hanging);
  kill(StatusOf("tpm").pid, SIGKILL);
  RunUntil([&] { return hanging.has_value(); });
  EXPECT_FALSE(RunPastItsDeadline("tpm", "hang").ok());
  RunUntil([&] { return StatusOf("tpm").restarts == 2; });
  EXPECT_EQ(Run(Sign("card", "pid")).value(), pid);
  EXPECT_EQ(StatusOf("card").restarts, 0U);
}

TEST_F(BackendPoolTest, AnswersThatMakeNoSenseEndTheProcess) {
  for (const char* misbehaviour : {"garbage", "wrong-id", "wrong-type", "error:0", "error:99"}) {
    StartFakes({Fake("tpm")});
    const absl::Status status = Run(Sign("tpm", misbehaviour)).status();
    EXPECT_TRUE(absl::IsUnavailable(status)) << misbehaviour << status;
    EXPECT_THAT(Text(status), HasSubstr("makes no sense")) << misbehaviour;
    EXPECT_EQ(Run(Sign("tpm", "echo:again")).value(), "again") << misbehaviour;
    Run(Ended(pool_->Stop()));
  }
}

TEST_F(BackendPoolTest, BackOffGrowsAndEndsWithASuccess) {
  BackendLimits limits;
  limits.first_back_off = milliseconds(20);
  limits.longest_back_off = milliseconds(40);
  StartFakes({Fake("tpm")}, limits);
  const auto time_to_recover = [&] {
    const Deadline start = In(milliseconds(0));
    EXPECT_FALSE(Run(Sign("tpm", "crash")).ok());
    bool failed = false;
    RunUntil([&] {
      failed = failed || StatusOf("tpm").state == BackendState::kFailed;
      return StatusOf("tpm").state == BackendState::kReady;
    });
    return std::pair(failed, In(milliseconds(0)) - start);
  };
  EXPECT_FALSE(time_to_recover().first);  // at once
  for (const int least : {20, 40, 40}) {
    const auto [failed, time] = time_to_recover();
    EXPECT_TRUE(failed);
    EXPECT_GE(time, milliseconds(least));
  }
  EXPECT_TRUE(Run(Sign("tpm", "echo:")).ok());
  EXPECT_FALSE(time_to_recover().first);
}

TEST_F(BackendPoolTest, StartThatFailsFailsWhoWaits) {
  BackendLimits limits;
  limits.first_back_off = milliseconds(5);
  StartFakes({Fake("tpm", "crash-at-start"), Fake("card")}, limits);
  const absl::Status status = Run(Sign("tpm", "echo:")).status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(Text(status), HasSubstr("backend tpm: start: signet-backend was ended by signal 9"));
  RunUntil([&] { return StatusOf("tpm").restarts >= 3; });
  EXPECT_TRUE(Run(Sign("card", "echo:")).ok());
}

TEST_F(BackendPoolTest, StartThatHangsIsKilled) {
  BackendLimits limits;
  limits.configure = milliseconds(30);
  StartFakes({Fake("tpm", "hang-at-start")}, limits);
  EXPECT_TRUE(absl::IsDeadlineExceeded(Run(Sign("tpm", "echo:")).status()));
}

TEST_F(BackendPoolTest, MissingProgramIsSaidAndTriedAgain) {
  BackendLimits limits;
  limits.first_back_off = milliseconds(5);
  const std::filesystem::path program = folder_ / "signet-backend";
  StartPool({Fake("tpm")}, program, limits);
  RunUntilState("tpm", BackendState::kFailed);
  EXPECT_THAT(StatusOf("tpm").last_error, HasSubstr(program.string()));
  EXPECT_EQ(StatusOf("tpm").next_step, "is signet-backend installed?");
  EXPECT_TRUE(StatusOf("tpm").hardware);  // by its type, until the token says it
  EXPECT_EQ(StatusOf("tpm").pid, 0);
  std::filesystem::create_symlink(SIGNET_FAKE_BACKEND, program);
  RunUntilState("tpm", BackendState::kReady);
}

TEST_F(BackendPoolTest, BackendInheritsNothingButItsSocket) {
  const ipc::Descriptor careless(dup(STDIN_FILENO));  // without close-on-exec
  setenv("SIGNET_TEST_SECRET", "x", 1);
  setenv("SOFTHSM2_CONF", "/nonexistent", 1);
  StartFakes({Fake("tpm")});
  EXPECT_EQ(Run(Sign("tpm", "descriptors")).value(), "0 1 2 3 ");
  const std::string names = Run(Sign("tpm", "environment")).value();
  EXPECT_THAT(names, HasSubstr("SOFTHSM2_CONF "));
  EXPECT_THAT(names, Not(HasSubstr("SIGNET_TEST_SECRET")));
  EXPECT_THAT(names, Not(HasSubstr("PATH ")));
  unsetenv("SIGNET_TEST_SECRET");
  unsetenv("SOFTHSM2_CONF");
}

TEST_F(BackendPoolTest, StopFailsCallsAndKillsWhatDoesNotEnd) {
  BackendLimits limits;
  limits.stop = milliseconds(30);
  BackendPool& pool =
      StartFakes({Fake("tpm"), Fake("card"), Fake("slow", "hang-at-start")}, limits);
  std::optional<Signature> hanging, waiting;
  Launch(Sign("tpm", "hang"), hanging);
  Launch(Sign("tpm", "echo:"), waiting);
  RunUntilState("tpm", BackendState::kReady);
  RunUntilState("card", BackendState::kReady);
  Run(Ended(pool.Stop()));
  RunUntil([&] { return hanging && waiting; });
  EXPECT_TRUE(absl::IsUnavailable(hanging->status()));
  EXPECT_TRUE(absl::IsUnavailable(waiting->status()));
  EXPECT_THAT(Text(waiting->status()), HasSubstr("the agent is stopping"));
  EXPECT_TRUE(absl::IsUnavailable(Run(Sign("card", "echo:")).status()));
  for (const BackendStatus& status : pool.Statuses()) EXPECT_EQ(status.pid, 0);
}

TEST_F(BackendPoolTest, LoopMayEndWithoutStop) {
  StartFakes({Fake("tpm")});
  std::optional<Signature> hanging, waiting;
  Launch(Sign("tpm", "hang"), hanging);
  Launch(Sign("tpm", "echo:"), waiting);
  RunUntilState("tpm", BackendState::kReady);
  pool_.reset();  // kills; the loop does not run again
}

}  // namespace
}  // namespace signet::agent
