// Calls of a backend that works: their answers and their queue.
#include "agent/backends/backend_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>

#include "agent/backends/fake_backend_fixture.h"

namespace signet::agent {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

TEST_F(BackendPoolTest, StatusSaysWhichTokenWaitsForATouch) {
  BackendConfiguration card = Fake("card");
  card.touch = true;
  StartFakes({Fake("tpm"), card});
  EXPECT_FALSE(StatusOf("tpm").touch);
  EXPECT_TRUE(StatusOf("card").touch);
}

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

}  // namespace
}  // namespace signet::agent
