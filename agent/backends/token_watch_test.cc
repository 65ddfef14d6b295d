// Tokens that come, go, lock and unlock, and the keys that are on them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "agent/backends/fake_backend_fixture.h"

namespace signet::agent {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

TEST_F(BackendPoolTest, TokenThatWasNotThereIsLookedForAgainWhenSomebodyAsks) {
  const std::filesystem::path card = folder_ / "card";
  StartFakes({Fake("card", "absent:" + card.string())});
  RunUntilState("card", BackendState::kFailed);
  EXPECT_EQ(StatusOf("card").last_error, "fake: call: failed");
  const absl::Status status = Run(Sign("card", "echo:")).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  std::ofstream(card).put('!');
  EXPECT_TRUE(Run(Sign("card", "echo:")).ok());
  EXPECT_EQ(StatusOf("card").state, BackendState::kReady);
}

TEST_F(BackendPoolTest, TokenThatWasNotThereIsSeenWhenItComes) {
  const std::filesystem::path card = folder_ / "card";
  BackendLimits limits;
  limits.look_again = milliseconds(10);
  StartFakes({Fake("card", "keys absent:" + card.string())}, limits);
  RunUntilState("card", BackendState::kFailed);
  std::ofstream(card).put('!');
  RunUntilState("card", BackendState::kReady);
  EXPECT_EQ(StatusOf("card").last_error, "");
  EXPECT_EQ(StatusOf("card").restarts, 0u);
  RunUntil([&] { return keys_["card"].size() == 1; });
}

TEST_F(BackendPoolTest, TellsWhichKeysTheTokenHolds) {
  BackendPool& pool = StartFakes({Fake("card", "pin keys"), Fake("tpm")});
  RunUntil([&] { return keys_.size() == 2; });
  EXPECT_TRUE(keys_["tpm"].empty());
  ASSERT_EQ(keys_["card"].size(), 1u);
  const FoundKey& key = keys_["card"].front();
  EXPECT_EQ(key.key.backend, "card");
  EXPECT_EQ(key.label, "public");
  EXPECT_EQ(key.algorithm, "p256");
  EXPECT_TRUE(key.hardware);
  EXPECT_EQ(key.schemes.size(), 1u);
  EXPECT_EQ(key.chain.size(), 1u);

  ASSERT_TRUE(Run(pool.Unlock("card", {}, PinPipe("1234"), LastTry::kKeep, In(kPatience))).ok());
  RunUntil([&] { return keys_["card"].size() == 2; });
}

TEST_F(BackendPoolTest, KeysOfATokenThatGoesAreForgotten) {
  const std::filesystem::path card = folder_ / "card";
  std::ofstream(card).put('!');
  BackendLimits limits;
  limits.look_again = milliseconds(10);
  StartFakes({Fake("card", "keys absent:" + card.string())}, limits);
  RunUntil([&] { return keys_["card"].size() == 1; });
  std::filesystem::remove(card);
  EXPECT_FALSE(Run(Sign("card", "error:14")).ok());  // kUnavailable
  RunUntil([&] { return keys_["card"].empty(); });
  EXPECT_EQ(StatusOf("card").state, BackendState::kFailed);
  std::ofstream(card).put('!');
  RunUntil([&] { return keys_["card"].size() == 1; });
  EXPECT_EQ(StatusOf("card").restarts, 0u);
}

TEST_F(BackendPoolTest, TokenThatComesAndGoesIsSeenWhileNobodyAsks) {
  const std::filesystem::path card = folder_ / "card";
  BackendLimits limits;
  limits.look = milliseconds(5);
  limits.look_again = std::chrono::hours(1);
  StartFakes({Fake("card", "keys looks absent:" + card.string())}, limits);
  RunUntilState("card", BackendState::kFailed);
  for (int i = 0; i < 2; ++i) {
    std::ofstream(card).put('!');
    RunUntil([&] { return keys_["card"].size() == 1; });
    EXPECT_EQ(StatusOf("card").state, BackendState::kReady);
    std::filesystem::remove(card);
    RunUntil([&] { return keys_["card"].empty(); });
    EXPECT_EQ(StatusOf("card").state, BackendState::kFailed);
  }
  EXPECT_EQ(StatusOf("card").restarts, 0u);
}

TEST_F(BackendPoolTest, KeysAreListedAnewWhenATokenWasExchanged) {
  const std::filesystem::path card = folder_ / "card";
  std::ofstream(card).put('!');
  BackendLimits limits;
  limits.look = milliseconds(5);
  StartFakes({Fake("card", "keys looks absent:" + card.string())}, limits);
  RunUntil([&] { return times_told_ == 1; });
  std::ofstream(folder_ / "other").put('!');
  std::filesystem::rename(folder_ / "other", card);
  RunUntil([&] { return times_told_ == 2; });
  EXPECT_EQ(keys_["card"].size(), 1u);
  EXPECT_EQ(StatusOf("card").state, BackendState::kReady);
}

TEST_F(BackendPoolTest, AnotherTokenGetsThePinOnlyOnceItIsKnown) {
  const std::filesystem::path card = folder_ / "card";
  std::ofstream(card).put('!');
  BackendPool& pool = StartFakes({Fake("card", "pin keys absent:" + card.string())});
  RunUntilState("card", BackendState::kLocked);
  std::ofstream(folder_ / "other").put('!');
  std::filesystem::rename(folder_ / "other", card);
  EXPECT_TRUE(absl::IsNotFound(
      Run(pool.Unlock("card", {}, PinPipe("1234"), LastTry::kKeep, In(kPatience)))));
  EXPECT_TRUE(Run(pool.Unlock("card", {}, PinPipe("1234"), LastTry::kKeep, In(kPatience))).ok());
}

TEST_F(BackendPoolTest, KeysThatCouldNotBeListedAreListedLater) {
  const std::filesystem::path obstacle = folder_ / "obstacle";
  std::ofstream(obstacle).put('!');
  BackendLimits limits;
  limits.look_again = milliseconds(10);
  StartFakes({Fake("card", "keys unlisted:" + obstacle.string())}, limits);
  RunUntilState("card", BackendState::kFailed);
  EXPECT_EQ(times_told_, 0u);
  std::filesystem::remove(obstacle);
  RunUntilState("card", BackendState::kReady);
  EXPECT_EQ(keys_["card"].size(), 1u);
  EXPECT_EQ(StatusOf("card").last_error, "");
  EXPECT_EQ(StatusOf("card").restarts, 0u);
}

TEST_F(BackendPoolTest, AsksForKeysAgainWhenOneIsMissing) {
  StartFakes({Fake("card", "keys")});
  RunUntil([&] { return times_told_ == 1; });
  EXPECT_TRUE(absl::IsNotFound(Run(Sign("card", "error:5")).status()));
  RunUntil([&] { return times_told_ == 2; });
}

TEST_F(BackendPoolTest, PinGoesToTheBackendAndIsGoneAfterARestart) {
  BackendPool& pool = StartFakes({Fake("card", "pin")});
  RunUntilState("card", BackendState::kLocked);
  EXPECT_EQ(StatusOf("card").next_step, "unlock it: signet token unlock card");
  EXPECT_TRUE(absl::IsFailedPrecondition(Run(Sign("card", "echo:")).status()));
  EXPECT_TRUE(absl::IsPermissionDenied(
      Run(pool.Unlock("card", {}, PinPipe("0000"), LastTry::kKeep, In(kPatience)))));
  EXPECT_EQ(StatusOf("card").state, BackendState::kLocked);
  EXPECT_TRUE(Run(pool.Unlock("card", {}, PinPipe("1234"), LastTry::kKeep, In(kPatience))).ok());
  EXPECT_EQ(StatusOf("card").state, BackendState::kReady);
  EXPECT_TRUE(Run(Sign("card", "echo:")).ok());

  EXPECT_THAT(Text(Run(Sign("card", "crash")).status()), HasSubstr("signet token unlock card"));
  RunUntilState("card", BackendState::kLocked);
  EXPECT_THAT(StatusOf("card").last_error, HasSubstr("signal 9"));

  EXPECT_TRUE(Run(pool.Unlock("card", {}, PinPipe("1234"), LastTry::kKeep, In(kPatience))).ok());
  EXPECT_TRUE(Run(pool.Lock("card", In(kPatience))).ok());
  EXPECT_EQ(StatusOf("card").state, BackendState::kLocked);
}

TEST_F(BackendPoolTest, TheLastTryIsSpentOnlyWhenAllowedAndItIsKnownAtOnce) {
  BackendPool& pool = StartFakes({Fake("card", "pin one-try")});
  RunUntilState("card", BackendState::kLocked);
  EXPECT_EQ(StatusOf("card").pin_tries, PinTries::kLast);
  EXPECT_EQ(StatusOf("card").tries_left, 1u);
  const auto unlock = [&](LastTry last_try) {
    return Run(pool.Unlock("card", {}, PinPipe("0000"), last_try, In(kPatience)));
  };
  EXPECT_TRUE(absl::IsFailedPrecondition(unlock(LastTry::kKeep)));
  EXPECT_EQ(StatusOf("card").pin_tries, PinTries::kLast);
  EXPECT_TRUE(absl::IsPermissionDenied(unlock(LastTry::kSpend)));
  EXPECT_EQ(StatusOf("card").pin_tries, PinTries::kBlocked);
  EXPECT_EQ(StatusOf("card").tries_left, 0u);
}

TEST_F(BackendPoolTest, LockingAllEndsABackendThatDoesNotAnswer) {
  BackendPool& pool = StartFakes({Fake("card", "pin"), Fake("other", "pin"), Fake("none", "")});
  for (const char* name : {"card", "other"}) {
    RunUntilState(name, BackendState::kLocked);
    EXPECT_TRUE(Run(pool.Unlock(name, {}, PinPipe("1234"), LastTry::kKeep, In(kPatience))).ok());
  }
  std::optional<Signature> hung;
  std::optional<absl::Status> unlocked;
  const std::string gate = Gate();
  Launch(Sign("card", "wait:" + gate), hung);
  const ipc::Descriptor at_work = WhenAtWork(gate);
  Launch(pool.Unlock("card", {}, PinPipe("1234"), LastTry::kKeep, In(kPatience)), unlocked);
  RunUntilState("none", BackendState::kReady);
  std::optional<bool> patient;
  Launch(Ended(pool.LockAll(In(kPatience))), patient);
  RunUntilState("other", BackendState::kLocked);
  EXPECT_EQ(StatusOf("other").restarts, 0u);
  EXPECT_FALSE(patient) << "one does not answer";
  Run(Ended(pool.LockAll(In(milliseconds(50)))));
  RunUntil([&] { return StatusOf("card").restarts == 1; });
  RunUntilState("card", BackendState::kLocked);
  EXPECT_TRUE(unlocked && absl::IsCancelled(*unlocked));
  EXPECT_TRUE(hung && absl::IsUnavailable(hung->status()));
  RunUntil([&] { return patient.has_value(); });
  EXPECT_TRUE(Run(Sign("none", "echo:")).ok());
}

TEST_F(BackendPoolTest, NoticesThatATokenLocksItself) {
  BackendPool& pool = StartFakes({Fake("card", "pin locks-soon"), Fake("late", "pin locks-late")});
  for (const char* name : {"card", "late"}) {
    RunUntilState(name, BackendState::kLocked);
    EXPECT_EQ(StatusOf(name).unlocked_until, std::nullopt);
    EXPECT_TRUE(Run(pool.Unlock(name, {}, PinPipe("1234"), LastTry::kKeep, In(kPatience))).ok());
  }
  RunUntilState("card", BackendState::kLocked);
  EXPECT_EQ(StatusOf("card").unlocked_until, std::nullopt);
  EXPECT_EQ(StatusOf("late").state, BackendState::kReady);
  const auto until = StatusOf("late").unlocked_until;
  ASSERT_TRUE(until);
  EXPECT_LE(*until, std::chrono::system_clock::now() + std::chrono::hours(1));
  EXPECT_GT(*until, std::chrono::system_clock::now() + std::chrono::minutes(55));
}

}  // namespace
}  // namespace signet::agent
