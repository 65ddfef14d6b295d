#include "agent/backends/backend_pool.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <fstream>

#include "absl/strings/match.h"
#include "agent/backends/pool_fixture.h"

namespace signet::agent {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Text(const absl::Status& status) { return std::string(status.message()); }

class BackendPoolTest : public PoolFixture {
 protected:
  BackendPoolTest() {
    char name[] = "/tmp/signet-backends-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~BackendPoolTest() override { std::filesystem::remove_all(folder_); }

  // A fake backend's configuration; for `behaviour` see fake_backend.cc.
  static BackendConfiguration Fake(const std::string& name, const std::string& behaviour = {}) {
    BackendConfiguration backend;
    backend.name = name;
    backend.type = "pkcs11";
    backend.module = behaviour;
    return backend;
  }

  BackendPool& StartFakes(std::vector<BackendConfiguration> backends, BackendLimits limits = {}) {
    return StartPool(std::move(backends), SIGNET_FAKE_BACKEND, limits);
  }

  // A FIFO: a backend that was asked to "wait:" for it answers when it was written to and closed.
  std::string Gate() {
    const std::string path = folder_ / ("gate" + std::to_string(gates_++));
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    return path;
  }
  // The other end of it, once the backend is at work on the call.
  ipc::Descriptor WhenAtWork(const std::string& gate) {
    ipc::Descriptor fifo;
    RunUntil([&] {
      fifo = ipc::Descriptor(open(gate.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
      return fifo.valid();
    });
    return fifo;
  }
  void OpenGate(const std::string& gate, const std::string& text) {
    const ipc::Descriptor fifo = WhenAtWork(gate);
    EXPECT_EQ(write(fifo.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  // The end of a call whose short deadline passed once the backend was at work on it. On a busy
  // machine the deadline can come before its turn does: then it gets a later one.
  absl::Status RunPastItsDeadline(const std::string& backend, const std::string& message) {
    for (milliseconds patience(30);; patience *= 2) {
      absl::Status end = Run(Sign(backend, message, In(patience))).status();
      if (!absl::StrContains(end.message(), "its turn did not come")) return end;
    }
  }

  ipc::Descriptor PinPipe(const std::string& pin) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    EXPECT_EQ(write(ends[1], pin.data(), pin.size()), static_cast<ssize_t>(pin.size()));
    close(ends[1]);
    return ipc::Descriptor(ends[0]);
  }

  std::filesystem::path folder_;
  int gates_ = 0;
};

TEST_F(BackendPoolTest, Signs) {
  StartFakes({Fake("tpm")});
  EXPECT_EQ(Run(Sign("tpm", "echo:hello")).value(), "hello");
  const BackendStatus status = StatusOf("tpm");
  EXPECT_EQ(status.state, BackendState::kReady);
  EXPECT_EQ(status.type, "pkcs11");
  EXPECT_EQ(status.token, "fake token");
  EXPECT_TRUE(status.hardware);
  EXPECT_GT(status.pid, 0);
  EXPECT_EQ(status.restarts, 0U);
}

TEST_F(BackendPoolTest, UnknownBackendIsNotFound) {
  StartFakes({Fake("tpm")});
  const absl::Status status = Run(Sign("card", "echo:hello")).status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(Text(status), HasSubstr("backend card: sign: "));
}

TEST_F(BackendPoolTest, CreatesDescribesAndRemovesKeys) {
  BackendPool& pool = StartFakes({Fake("tpm")});
  const std::string backend = "tpm", label = "laptop", algorithm = "p256";
  const absl::StatusOr<NewKey> key = Run(pool.CreateKey(backend, label, algorithm, In(kPatience)));
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(key->key.backend, "tpm");
  EXPECT_EQ(std::string(key->key.reference.begin(), key->key.reference.end()), "key laptop");
  EXPECT_EQ(std::string(key->public_key.begin(), key->public_key.end()), "p256");
  EXPECT_THAT(key->schemes, testing::ElementsAre(wire::SignatureScheme::kEcdsaSecp256r1Sha256));
  EXPECT_TRUE(key->hardware);
  EXPECT_TRUE(Run(pool.RemoveKey(key->key, In(kPatience))).ok());
}

TEST_F(BackendPoolTest, ErrorOfTheBackendIsTheCallersAndTheProcessStays) {
  StartFakes({Fake("tpm")});
  const std::string pid = Run(Sign("tpm", "pid")).value();
  const absl::Status status = Run(Sign("tpm", "error:5")).status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_EQ(Text(status), "fake: call: failed; as asked");
  EXPECT_EQ(Run(Sign("tpm", "pid")).value(), pid);
}

TEST_F(BackendPoolTest, TokenErrorShowsInTheStatusUntilACallGoesWell) {
  StartFakes({Fake("tpm")});
  EXPECT_TRUE(absl::IsUnavailable(Run(Sign("tpm", "error:14")).status()));
  EXPECT_EQ(StatusOf("tpm").last_error, "fake: call: failed");
  EXPECT_EQ(StatusOf("tpm").next_step, "as asked");
  EXPECT_TRUE(Run(Sign("tpm", "echo:")).ok());
  EXPECT_EQ(StatusOf("tpm").last_error, "");
}

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

TEST_F(BackendPoolTest, CallsAreServedInTheirOrder) {
  StartFakes({Fake("tpm")});
  const std::string gate = Gate();
  std::vector<int> order;
  std::vector<std::optional<Signature>> signatures(5);
  for (int i = 0; i < 5; ++i) {
    const auto then_note = [](asio::awaitable<Signature> work, std::vector<int>& into,
                              int number) -> asio::awaitable<Signature> {
      Signature signature = co_await std::move(work);
      into.push_back(number);
      co_return signature;
    };
    const std::string message = i == 0 ? "wait:" + gate : "echo:" + std::to_string(i);
    Launch(then_note(Sign("tpm", message), order, i), signatures[static_cast<size_t>(i)]);
  }
  OpenGate(gate, "first");
  RunUntil([&] { return order.size() == 5; });
  EXPECT_THAT(order, testing::ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(signatures[0]->value(), "first");
  EXPECT_EQ(signatures[4]->value(), "4");
}

TEST_F(BackendPoolTest, CallLeavesTheQueueAtItsDeadline) {
  StartFakes({Fake("tpm")});
  const std::string gate = Gate();
  std::optional<Signature> working;
  Launch(Sign("tpm", "wait:" + gate), working);
  const absl::Status status = Run(Sign("tpm", "echo:late", In(milliseconds(30)))).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status));
  EXPECT_THAT(Text(status), HasSubstr("its turn did not come"));
  EXPECT_FALSE(working);
  OpenGate(gate, "done");
  RunUntil([&] { return working.has_value(); });
  EXPECT_EQ(working->value(), "done");
  EXPECT_EQ(StatusOf("tpm").restarts, 0U);
}

TEST_F(BackendPoolTest, FullQueueRefuses) {
  BackendLimits limits;
  limits.waiting_calls = 2;
  StartFakes({Fake("tpm")}, limits);
  RunUntilState("tpm", BackendState::kReady);
  const std::string gate = Gate();
  std::vector<std::optional<Signature>> signatures(4);
  Launch(Sign("tpm", "wait:" + gate), signatures[0]);
  ipc::Descriptor fifo = WhenAtWork(gate);
  for (size_t i = 1; i < 4; ++i) Launch(Sign("tpm", "echo:"), signatures[i]);
  RunUntil([&] { return signatures[3].has_value(); });
  EXPECT_TRUE(absl::IsResourceExhausted(signatures[3]->status()));
  fifo.Reset();
  RunUntil([&] { return signatures[2].has_value(); });
  EXPECT_TRUE(signatures[0]->ok() && signatures[1]->ok() && signatures[2]->ok());
}

TEST_F(BackendPoolTest, AnswerForACallerThatLeftIsDropped) {
  StartFakes({Fake("tpm")});
  RunUntilState("tpm", BackendState::kReady);
  const std::string gate = Gate();
  asio::cancellation_signal cancel;
  std::optional<Signature> left;
  asio::co_spawn(
      *loop_, [&]() -> asio::awaitable<void> { left = co_await Sign("tpm", "wait:" + gate); },
      asio::bind_cancellation_slot(cancel.slot(), asio::detached));
  ipc::Descriptor fifo = WhenAtWork(gate);
  std::optional<Signature> next;
  Launch(Sign("tpm", "echo:next"), next);
  cancel.emit(asio::cancellation_type::terminal);
  RunUntil([&] { return left.has_value(); });
  EXPECT_TRUE(absl::IsCancelled(left->status()));
  EXPECT_FALSE(next);
  fifo.Reset();
  RunUntil([&] { return next.has_value(); });
  EXPECT_EQ(next->value(), "next");
  EXPECT_EQ(StatusOf("tpm").restarts, 0U);
}

TEST_F(BackendPoolTest, CallerThatLeavesTheQueueMakesRoomAndIsNotServed) {
  BackendLimits limits;
  limits.waiting_calls = 1;
  StartFakes({Fake("tpm")}, limits);
  RunUntilState("tpm", BackendState::kReady);
  const std::string gate = Gate();
  std::optional<Signature> working, left;
  Launch(Sign("tpm", "wait:" + gate), working);
  ipc::Descriptor fifo = WhenAtWork(gate);
  asio::cancellation_signal cancel;
  asio::co_spawn(
      *loop_, [&]() -> asio::awaitable<void> { left = co_await Sign("tpm", "crash"); },
      asio::bind_cancellation_slot(cancel.slot(), asio::detached));
  Settle();
  cancel.emit(asio::cancellation_type::terminal);
  Settle();
  std::optional<Signature> next;
  Launch(Sign("tpm", "echo:next"), next);
  fifo.Reset();
  RunUntil([&] { return next.has_value(); });
  EXPECT_TRUE(next->ok()) << next->status();
  EXPECT_TRUE(left && absl::IsCancelled(left->status()));
  EXPECT_EQ(StatusOf("tpm").restarts, 0U);  // "crash" never came
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
