#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/consent/consent.h"
#include "tests/support/run_awaitable.h"

namespace signet::agent {
namespace {

TEST(NoPrompter, DeclinesAtOnceAndSaysWhatToDo) {
  Identity identity;
  identity.name = "alice";
  const Caller caller;
  const Origin origin{"a.example", 8443};
  NoPrompter prompter;
  const Answer answer = test::RunAwaitable(prompter.Ask(caller, origin, identity, Deadline::max()));
  EXPECT_FALSE(answer.agreed);
  EXPECT_THAT(answer.reason, ::testing::HasSubstr("prompts are not available in this version"));
  EXPECT_THAT(answer.reason,
              ::testing::HasSubstr("signet policy allow https://a.example:8443 --identity alice"));
}

}  // namespace
}  // namespace signet::agent
