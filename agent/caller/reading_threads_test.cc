#include "agent/caller/reading_threads.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>

#include "absl/status/status.h"
#include "tests/support/run_awaitable.h"

namespace signet::agent {
namespace {

constexpr std::chrono::seconds kLong{60};

// Work that waits until it is told to go on. The thread keeps it.
struct Hanging : std::enable_shared_from_this<Hanging> {
  ReadingThreads::Work Work() {
    return [self = shared_from_this()](const std::atomic<bool>& given_up) {
      self->go_on.get_future().wait();
      self->was_given_up.set_value(given_up);
      return std::string("late");
    };
  }

  std::promise<void> go_on;
  std::promise<bool> was_given_up;
};

TEST(ReadingThreads, GiveWhatTheWorkGives) {
  ReadingThreads threads(1);
  for (int i = 0; i < 20; ++i) {
    const ReadingThreads::Work work = [i](const std::atomic<bool>&) { return std::to_string(i); };
    EXPECT_EQ(*test::RunAwaitable(threads.Run(work, kLong)), std::to_string(i));
  }
  const ReadingThreads::Work failing = [](const std::atomic<bool>&) {
    return absl::NotFoundError("nothing there");
  };
  EXPECT_TRUE(absl::IsNotFound(test::RunAwaitable(threads.Run(failing, kLong)).status()));
}

TEST(ReadingThreads, WorkThatHangsIsNotWaitedForAndKeepsOneThread) {
  ReadingThreads threads(2);
  const auto hanging = std::make_shared<Hanging>();
  const ReadingThreads::Work quick = [](const std::atomic<bool>&) { return std::string("quick"); };
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      test::RunAwaitable(threads.Run(hanging->Work(), std::chrono::milliseconds(10))).status()));
  EXPECT_EQ(*test::RunAwaitable(threads.Run(quick, kLong)), "quick");
  hanging->go_on.set_value();
  EXPECT_TRUE(hanging->was_given_up.get_future().get());
}

TEST(ReadingThreads, AreNoMoreThanTheLimit) {
  ReadingThreads threads(1);
  const auto hanging = std::make_shared<Hanging>();
  EXPECT_FALSE(test::RunAwaitable(threads.Run(hanging->Work(), std::chrono::milliseconds(1))).ok());
  EXPECT_TRUE(
      absl::IsResourceExhausted(test::RunAwaitable(threads.Run(hanging->Work(), kLong)).status()));
  hanging->go_on.set_value();
  hanging->was_given_up.get_future().wait();
}

}  // namespace
}  // namespace signet::agent
