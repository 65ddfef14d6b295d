#include <gtest/gtest.h>

#include "agent/consent/consent.h"
#include "tests/support/run_awaitable.h"

namespace signet::agent {
namespace {

TEST(NoPrompter, SaysAtOnceThatNobodyIsAsked) {
  NoPrompter prompter;
  Prompt prompt;
  prompt.deadline = Deadline::max();
  const Answer answer = test::RunAwaitable(prompter.Ask(std::move(prompt), {}));
  EXPECT_EQ(answer.kind, Answer::Kind::kNobody);
  EXPECT_EQ(answer.reason, "this agent has no prompts");
}

}  // namespace
}  // namespace signet::agent
