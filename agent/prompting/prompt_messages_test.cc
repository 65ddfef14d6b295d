#include "agent/prompting/prompt_messages.h"

#include <gtest/gtest.h>

#include "agent/prompting/fake_desk.h"

namespace signet::agent {
namespace {

namespace v1 = prompt::v1;

Prompt Example() {
  Prompt prompt;
  prompt.caller.pid = 42;
  prompt.caller.uid = 1000;
  prompt.caller.executable = Executable{1, 2, "/usr/bin/curl"};
  prompt.caller.unit = "user@1000.service";
  prompt.caller.user_unit = "app-curl.scope";
  prompt.caller.parents = {{41, "bash"}, {40, "sshd"}};
  prompt.origin = {"a.example", 8443};
  Choice choice;
  choice.identity.name = "alice";
  choice.identity.hardware = true;
  choice.identity.key.backend = "card";
  choice.wants_pin = true;
  prompt.choices = {choice};
  prompt.deadline = Deadline(std::chrono::seconds(60));
  return prompt;
}

v1::Show Shown(const Prompt& prompt, const FakeDesk& desk = {}) {
  return ToShow(prompt, desk, Deadline(std::chrono::milliseconds(1500)));
}

TEST(PromptMessages, TellAPersonWhoAsksForWhatAndWhere) {
  const v1::Show show = Shown(Example());
  EXPECT_EQ(show.origin(), "https://a.example:8443");
  EXPECT_FALSE(show.origin_trusted());
  EXPECT_EQ(show.program().path(), "/usr/bin/curl");
  EXPECT_EQ(show.program().pid(), 42u);
  EXPECT_EQ(show.program().unit(), "app-curl.scope");
  ASSERT_EQ(show.program().parents_size(), 2);
  EXPECT_EQ(show.program().parents(0).name(), "bash");
  EXPECT_EQ(show.deadline_ms(), 58500u);
  EXPECT_FALSE(show.consent()) << "only the PIN is wanted";
  ASSERT_EQ(show.choices_size(), 1);
  EXPECT_EQ(show.choices(0).identity(), "alice");
  EXPECT_EQ(show.choices(0).kind(), "user");
  EXPECT_EQ(show.choices(0).key_place(), "smartcard \"Alice's card\"");
  EXPECT_EQ(show.choices(0).pin().entry(), v1::PIN_ENTRY_HERE);
  EXPECT_EQ(show.choices(0).pin().tries(), v1::PIN_TRIES_ALL);
  EXPECT_EQ(show.choices(0).pin().tries_left(), 3u);
}

TEST(PromptMessages, SayWhereAKeyLives) {
  Prompt prompt = Example();
  FakeDesk desk;
  desk.status.type = "tpm2";
  EXPECT_EQ(Shown(prompt, desk).choices(0).key_place(), "this machine's TPM");
  desk.status.type = "software";
  EXPECT_EQ(Shown(prompt, desk).choices(0).key_place(), "a file");
  desk.status.type = "pkcs11";
  prompt.choices[0].identity.hardware = false;
  EXPECT_EQ(Shown(prompt, desk).choices(0).key_place(), "token \"Alice's card\"");
}

TEST(PromptMessages, SayThatATokenWaitsForATouch) {
  const Prompt prompt = Example();
  FakeDesk desk;
  EXPECT_FALSE(Shown(prompt, desk).choices(0).touch());
  desk.status.touch = true;
  EXPECT_TRUE(Shown(prompt, desk).choices(0).touch());
}

TEST(PromptMessages, SayHowAPinIsGiven) {
  Prompt prompt = Example();
  FakeDesk desk;
  desk.status.pin_pad = true;
  desk.status.pin_tries = PinTries::kLast;
  EXPECT_EQ(Shown(prompt, desk).choices(0).pin().entry(), v1::PIN_ENTRY_AT_READER);
  EXPECT_EQ(Shown(prompt, desk).choices(0).pin().tries(), v1::PIN_TRIES_LAST);
  prompt.choices[0].wants_pin = false;
  EXPECT_EQ(Shown(prompt, desk).choices(0).pin().entry(), v1::PIN_ENTRY_NONE);
}

TEST(PromptMessages, SayHowLongAYesHolds) {
  Prompt prompt = Example();
  prompt.choices[0].asks = true;
  EXPECT_TRUE(Shown(prompt).consent());
  EXPECT_EQ(Shown(prompt).remember(), "");
  prompt.choices[0].once_per = {OncePer::Scope::kHours, 8};
  EXPECT_EQ(Shown(prompt).remember(), "8 hours");
  prompt.choices.push_back(prompt.choices[0]);
  prompt.choices[1].once_per = {OncePer::Scope::kSession, 0};
  EXPECT_EQ(Shown(prompt).remember(), "at most 8 hours");
}

TEST(PromptMessages, GiveNoTimeThatIsOver) {
  Prompt prompt = Example();
  prompt.deadline = Deadline(std::chrono::seconds(1));
  EXPECT_EQ(Shown(prompt).deadline_ms(), 0u);
  prompt.deadline = Deadline::max();
  EXPECT_GT(Shown(prompt).deadline_ms(), 1000u);
}

}  // namespace
}  // namespace signet::agent
