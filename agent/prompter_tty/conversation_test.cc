#include "agent/prompter_tty/conversation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/prompter_tty/example.h"

namespace signet::prompter_tty {
namespace {

using prompt::v1::PIN_ENTRY_AT_READER;
using prompt::v1::PIN_ENTRY_HERE;
using prompt::v1::PIN_ENTRY_NONE;
using ::testing::HasSubstr;

const View kView{72, std::chrono::seconds(60)};

Answer Typed(absl::string_view text) {
  return {Answer::Kind::kTyped, wire::Secret(wire::Bytes(text.begin(), text.end()))};
}

std::string Prompt(const Step& step) {
  const auto* question = std::get_if<Question>(&step);
  return question == nullptr ? "no question" : question->prompt;
}

std::string Error(const Step& step) {
  const auto* question = std::get_if<Question>(&step);
  return question == nullptr ? "no question" : question->error;
}

// "choice 0", with " last" and " pin=..." where they are.
std::string Result(const Step& step) {
  const auto* choose = std::get_if<Choose>(&step);
  if (choose == nullptr) return "no choice";
  std::string text = "choice " + std::to_string(choose->choice);
  if (choose->last_try) text += " last";
  if (choose->pin.has_value()) {
    text += " pin=" + std::string(choose->pin->view().begin(), choose->pin->view().end());
  }
  return text;
}

bool IsLeave(const Step& step) { return std::holds_alternative<Leave>(step); }

prompt::v1::Show ShowOf(std::initializer_list<prompt::v1::PinEntry> entries) {
  prompt::v1::Show show = ExampleShow();
  for (const prompt::v1::PinEntry entry : entries) {
    AddChoice(show, "number" + std::to_string(show.choices_size() + 1), entry);
  }
  return show;
}

TEST(Conversation, ThePinIsTheYes) {
  Conversation conversation(ShowOf({PIN_ENTRY_HERE}));
  EXPECT_EQ(Prompt(conversation.Begin(kView)), "PIN");
  EXPECT_EQ(Result(conversation.Answered(Typed(" 12 34"), kView)), "choice 0 pin= 12 34");
}

TEST(Conversation, WithoutAPinYesHasToBeTyped) {
  for (const auto entry : {PIN_ENTRY_NONE, PIN_ENTRY_AT_READER}) {
    Conversation conversation(ShowOf({entry}));
    EXPECT_EQ(Prompt(conversation.Begin(kView)), "yes?");
    const Step again = conversation.Answered(Typed("y"), kView);
    EXPECT_EQ(Prompt(again), "yes?");
    EXPECT_EQ(Error(again), "That was not yes");
    EXPECT_EQ(Result(conversation.Answered(Typed("YES "), kView)), "choice 0");
  }
}

TEST(Conversation, NothingTypedNoAndTheButtonDecline) {
  for (const auto entry : {PIN_ENTRY_NONE, PIN_ENTRY_HERE}) {
    Conversation conversation(ShowOf({entry}));
    conversation.Begin(kView);
    EXPECT_TRUE(IsLeave(conversation.Answered(Typed(""), kView)));
    EXPECT_TRUE(IsLeave(conversation.Answered({Answer::Kind::kDeclined, {}}, kView)));
  }
  Conversation conversation(ShowOf({PIN_ENTRY_NONE}));
  conversation.Begin(kView);
  EXPECT_TRUE(IsLeave(conversation.Answered(Typed("no"), kView)));
}

TEST(Conversation, ANumberChoosesAndIsTheYes) {
  Conversation conversation(ShowOf({PIN_ENTRY_HERE, PIN_ENTRY_NONE}));
  EXPECT_EQ(Prompt(conversation.Begin(kView)), "Number");
  EXPECT_EQ(Result(conversation.Answered(Typed("2"), kView)), "choice 1");
}

TEST(Conversation, AfterTheNumberComesThePinOfThatCertificate) {
  Conversation conversation(ShowOf({PIN_ENTRY_NONE, PIN_ENTRY_HERE}));
  conversation.Begin(kView);
  const Step step = conversation.Answered(Typed("2"), kView);
  EXPECT_EQ(Prompt(step), "PIN");
  EXPECT_THAT(std::get<Question>(step).description, HasSubstr("CN=number2"));
  EXPECT_EQ(Result(conversation.Answered(Typed("1234"), kView)), "choice 1 pin=1234");
}

TEST(Conversation, AWrongNumberIsAskedForAgainAndNeverShown) {
  Conversation conversation(ShowOf({PIN_ENTRY_HERE, PIN_ENTRY_NONE}));
  conversation.Begin(kView);
  for (const char* typed : {"0", "3", "-1", "918273", "x", "1x", "99999999999999999999"}) {
    const Step step = conversation.Answered(Typed(typed), kView);
    EXPECT_EQ(Prompt(step), "Number") << typed;
    EXPECT_EQ(Error(step), "Type a number from 1 to 2") << typed;
  }
}

TEST(Conversation, OnlyNumbersThatAreShownChoose) {
  Conversation conversation(
      ShowOf({PIN_ENTRY_NONE, PIN_ENTRY_NONE, PIN_ENTRY_NONE, PIN_ENTRY_NONE, PIN_ENTRY_NONE}));
  conversation.Begin(kView);
  EXPECT_EQ(Error(conversation.Answered(Typed("5"), kView)), "Type a number from 1 to 4");
  EXPECT_EQ(Prompt(conversation.Answered(Typed("more"), kView)), "Number");
  EXPECT_EQ(Error(conversation.Answered(Typed("1"), kView)), "Type a number from 5 to 5");
  conversation.Answered(Typed("more"), kView);
  EXPECT_EQ(Result(conversation.Answered(Typed("1"), kView)), "choice 0");
}

TEST(Conversation, TheLastTryIsSpentOnlyAfterItsWord) {
  prompt::v1::Show show = ShowOf({PIN_ENTRY_HERE});
  show.mutable_choices(0)->mutable_pin()->set_tries(prompt::v1::PIN_TRIES_LAST);
  Conversation conversation(show);
  EXPECT_EQ(Prompt(conversation.Begin(kView)), "last try?");
  EXPECT_EQ(Error(conversation.Answered(Typed("1234"), kView)),
            "Those were not the words; no try was spent");
  EXPECT_EQ(Prompt(conversation.Answered(Typed("last try"), kView)), "PIN");
  EXPECT_EQ(Result(conversation.Answered(Typed("1234"), kView)), "choice 0 last pin=1234");
}

TEST(Conversation, TheLastTryAtAReaderNeedsItsWordToo) {
  prompt::v1::Show show = ShowOf({PIN_ENTRY_AT_READER, PIN_ENTRY_NONE});
  show.mutable_choices(0)->mutable_pin()->set_tries(prompt::v1::PIN_TRIES_LAST);
  Conversation conversation(show);
  conversation.Begin(kView);
  EXPECT_EQ(Prompt(conversation.Answered(Typed("1"), kView)), "last try?");
  EXPECT_EQ(Result(conversation.Answered(Typed("last try"), kView)), "choice 0 last");
}

TEST(Conversation, ARefusedPinIsAskedForAgainWithTheTriesThatAreLeft) {
  Conversation conversation(ShowOf({PIN_ENTRY_HERE}));
  conversation.Begin(kView);
  conversation.Answered(Typed("0000"), kView);
  prompt::v1::Refuse refuse;
  refuse.set_message("the PIN is wrong");
  refuse.mutable_pin()->set_entry(PIN_ENTRY_HERE);
  refuse.mutable_pin()->set_tries(prompt::v1::PIN_TRIES_FEW);
  refuse.mutable_pin()->set_tries_left(2);
  const Step step = conversation.Refused(refuse, kView);
  EXPECT_EQ(Error(step), "the PIN is wrong");
  EXPECT_THAT(std::get<Question>(step).description, HasSubstr("2 tries left"));
  refuse.mutable_pin()->set_tries(prompt::v1::PIN_TRIES_LAST);
  EXPECT_EQ(Prompt(conversation.Refused(refuse, kView)), "last try?");
}

TEST(Conversation, ABlockedTokenCanOnlyBeLeft) {
  prompt::v1::Show show = ShowOf({PIN_ENTRY_HERE});
  show.mutable_choices(0)->mutable_pin()->set_tries(prompt::v1::PIN_TRIES_BLOCKED);
  Conversation conversation(show);
  const Step step = conversation.Begin(kView);
  EXPECT_EQ(Prompt(step), "");
  EXPECT_THAT(std::get<Question>(step).description, HasSubstr("unblock it with"));
  EXPECT_TRUE(IsLeave(conversation.Answered(Typed(""), kView)));
}

TEST(Conversation, ATokenThatGetsBlockedLeavesTheOthersToChoose) {
  Conversation conversation(ShowOf({PIN_ENTRY_HERE, PIN_ENTRY_NONE}));
  conversation.Begin(kView);
  conversation.Answered(Typed("1"), kView);
  conversation.Answered(Typed("0000"), kView);
  prompt::v1::Refuse refuse;
  refuse.mutable_pin()->set_entry(PIN_ENTRY_HERE);
  refuse.mutable_pin()->set_tries(prompt::v1::PIN_TRIES_BLOCKED);
  const Step step = conversation.Refused(refuse, kView);
  EXPECT_EQ(Prompt(step), "Number");
  EXPECT_THAT(Error(step), HasSubstr("choose another"));
  EXPECT_EQ(Result(conversation.Answered(Typed("2"), kView)), "choice 1");
}

TEST(Conversation, WaitingCanBeLeft) {
  Conversation conversation(ShowOf({PIN_ENTRY_AT_READER}));
  conversation.Begin(kView);
  conversation.Answered(Typed("yes"), kView);
  prompt::v1::Wait wait;
  wait.set_message("type the PIN at the reader");
  const Step step = conversation.Waits(wait, kView);
  EXPECT_EQ(Prompt(step), "");
  EXPECT_THAT(std::get<Question>(step).description, HasSubstr("type the PIN at the reader"));
  EXPECT_TRUE(IsLeave(conversation.Answered(Typed(""), kView)));
}

TEST(Conversation, APinThatIsTooLongIsNotSent) {
  Conversation conversation(ShowOf({PIN_ENTRY_HERE}));
  conversation.Begin(kView);
  const Step step = conversation.Answered(Typed(std::string(257, '1')), kView);
  EXPECT_THAT(Error(step), HasSubstr("no try was spent"));
}

TEST(Conversation, WithNothingToShowItFails) {
  Conversation conversation(ExampleShow());
  EXPECT_TRUE(std::holds_alternative<Fail>(conversation.Begin(kView)));
}

}  // namespace
}  // namespace signet::prompter_tty
