#include "agent/prompter/dialogue.h"

#include <gtest/gtest.h>

namespace signet::prompter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class DialogueTest : public testing::Test {
 protected:
  static v1::Choice* AddChoice(v1::Show& show, v1::PinEntry entry = v1::PIN_ENTRY_NONE,
                               v1::PinTries tries = v1::PIN_TRIES_ALL) {
    v1::Choice* choice = show.add_choices();
    choice->mutable_pin()->set_entry(entry);
    choice->mutable_pin()->set_tries(tries);
    return choice;
  }
  static v1::Show OneChoice(v1::PinEntry entry = v1::PIN_ENTRY_NONE,
                            v1::PinTries tries = v1::PIN_TRIES_ALL) {
    v1::Show show;
    show.set_deadline_ms(60'000);
    AddChoice(show, entry, tries);
    return show;
  }
  static v1::ToPrompter Refuse(v1::PinTries tries) {
    v1::ToPrompter message;
    message.mutable_refuse()->set_message("The PIN is wrong.");
    message.mutable_refuse()->mutable_pin()->set_entry(v1::PIN_ENTRY_HERE);
    message.mutable_refuse()->mutable_pin()->set_tries(tries);
    return message;
  }
  static v1::ToPrompter Wait() {
    v1::ToPrompter message;
    message.mutable_wait()->set_message("Touch the card.");
    return message;
  }

  Dialogue Appeared(const v1::Show& show) const {
    Dialogue dialogue(show, start_);
    dialogue.Appear(start_);
    return dialogue;
  }

  const Dialogue::Clock::time_point start_ = Dialogue::Clock::time_point(seconds(1000));
  const Dialogue::Clock::time_point ready_ = start_ + Dialogue::kGuard;
};

TEST_F(DialogueTest, TakesAYesToASingleChoice) {
  Dialogue dialogue = Appeared(OneChoice());
  EXPECT_TRUE(dialogue.CanApprove(ready_));
  const std::optional<v1::Choose> choose = dialogue.Approve(ready_);
  ASSERT_TRUE(choose);
  EXPECT_EQ(choose->choice(), 0u);
  EXPECT_FALSE(choose->last_try());
  EXPECT_EQ(dialogue.phase(), Phase::kWorking);
}

TEST_F(DialogueTest, AnswersOnce) {
  Dialogue dialogue = Appeared(OneChoice());
  EXPECT_TRUE(dialogue.Approve(ready_));
  EXPECT_FALSE(dialogue.Approve(ready_));
}

TEST_F(DialogueTest, TakesNothingThatWasMeantForAnotherWindow) {
  Dialogue dialogue = Appeared(OneChoice());
  EXPECT_FALSE(dialogue.Approve(start_));
  EXPECT_FALSE(dialogue.Approve(ready_ - milliseconds(1)));
  dialogue.Disturb(start_ + milliseconds(400));  // still typing elsewhere, as they think
  EXPECT_FALSE(dialogue.Approve(ready_));
  EXPECT_TRUE(dialogue.Approve(start_ + milliseconds(400) + Dialogue::kGuard));
}

TEST_F(DialogueTest, TakesNothingBeforeItCanBeSeen) {
  Dialogue dialogue(OneChoice(), start_);
  dialogue.Disturb(start_);
  EXPECT_FALSE(dialogue.Approve(start_ + seconds(10)));
  dialogue.Appear(start_ + seconds(10));
  EXPECT_FALSE(dialogue.Approve(start_ + seconds(10)));
  EXPECT_TRUE(dialogue.Approve(start_ + seconds(10) + Dialogue::kGuard));
}

TEST_F(DialogueTest, LeavesTheChoiceOfSeveralToThePerson) {
  v1::Show show = OneChoice();
  AddChoice(show);
  Dialogue dialogue = Appeared(show);
  EXPECT_FALSE(dialogue.selected());
  EXPECT_FALSE(dialogue.CanApprove(ready_));
  EXPECT_EQ(dialogue.Missing(), "Choose a certificate.");
  dialogue.Select(1);
  EXPECT_EQ(dialogue.Approve(ready_)->choice(), 1u);
}

TEST_F(DialogueTest, KeepsTheChoiceOnceMade) {
  v1::Show show = OneChoice();
  AddChoice(show);
  Dialogue dialogue = Appeared(show);
  dialogue.Select(1);
  ASSERT_TRUE(dialogue.Approve(ready_));
  dialogue.Select(0);
  EXPECT_EQ(dialogue.selected(), 1u);
  dialogue.Select(2);
  EXPECT_EQ(dialogue.selected(), 1u);
}

TEST_F(DialogueTest, WantsThePinFirst) {
  Dialogue dialogue = Appeared(OneChoice(v1::PIN_ENTRY_HERE));
  EXPECT_TRUE(dialogue.WantsPin());
  EXPECT_FALSE(dialogue.Approve(ready_));
  EXPECT_EQ(dialogue.Missing(), "Enter the PIN.");
  dialogue.SetPinSize(6);
  EXPECT_TRUE(dialogue.Approve(ready_));
}

TEST_F(DialogueTest, TakesNoPinThatTheBackendWouldNot) {
  Dialogue dialogue = Appeared(OneChoice(v1::PIN_ENTRY_HERE));
  dialogue.SetPinSize(Dialogue::kMaxPinSize + 1);
  EXPECT_FALSE(dialogue.CanApprove(ready_));
  dialogue.SetPinSize(Dialogue::kMaxPinSize);
  EXPECT_TRUE(dialogue.CanApprove(ready_));
}

TEST_F(DialogueTest, LeavesThePinToTheReader) {
  Dialogue dialogue = Appeared(OneChoice(v1::PIN_ENTRY_AT_READER));
  EXPECT_FALSE(dialogue.WantsPin());
  EXPECT_TRUE(dialogue.Approve(ready_));
}

TEST_F(DialogueTest, SpendsTheLastTryOnlyWhenThatWasTyped) {
  for (const v1::PinEntry entry : {v1::PIN_ENTRY_HERE, v1::PIN_ENTRY_AT_READER}) {
    Dialogue dialogue = Appeared(OneChoice(entry, v1::PIN_TRIES_LAST));
    dialogue.SetPinSize(6);
    EXPECT_FALSE(dialogue.Approve(ready_));
    dialogue.SetWord("last");
    EXPECT_FALSE(dialogue.Approve(ready_));
    dialogue.SetWord(" Last Try ");
    ASSERT_TRUE(dialogue.CanApprove(ready_));
    EXPECT_TRUE(dialogue.Approve(ready_)->last_try());
  }
}

TEST_F(DialogueTest, OffersNothingThatIsBlocked) {
  Dialogue dialogue = Appeared(OneChoice(v1::PIN_ENTRY_HERE, v1::PIN_TRIES_BLOCKED));
  EXPECT_FALSE(dialogue.selected());
  dialogue.Select(0);
  dialogue.SetPinSize(6);
  EXPECT_FALSE(dialogue.CanApprove(ready_));
  EXPECT_EQ(dialogue.Missing(), "Nothing can be used now.");
}

TEST_F(DialogueTest, AsksAgainAfterARefusal) {
  Dialogue dialogue = Appeared(OneChoice(v1::PIN_ENTRY_HERE));
  dialogue.SetPinSize(6);
  ASSERT_TRUE(dialogue.Approve(ready_));
  ASSERT_TRUE(dialogue.Handle(Wait(), ready_));
  EXPECT_EQ(dialogue.message(), "Touch the card.");
  EXPECT_FALSE(dialogue.refused());
  ASSERT_TRUE(dialogue.Handle(Refuse(v1::PIN_TRIES_LAST), ready_));
  EXPECT_EQ(dialogue.phase(), Phase::kAsking);
  EXPECT_EQ(dialogue.message(), "The PIN is wrong.");
  EXPECT_TRUE(dialogue.refused());
  EXPECT_EQ(dialogue.refusals(), 1);
  EXPECT_TRUE(dialogue.WantsWord());
  EXPECT_FALSE(dialogue.CanApprove(ready_ + Dialogue::kGuard)) << "the old PIN is gone";
  dialogue.SetPinSize(6);
  dialogue.SetWord(Dialogue::kLastTryWord);
  EXPECT_FALSE(dialogue.CanApprove(ready_)) << "a double click must not spend a try";
  EXPECT_TRUE(dialogue.Approve(ready_ + Dialogue::kGuard)->last_try());
  EXPECT_EQ(dialogue.message(), "");
}

TEST_F(DialogueTest, LetsGoOfAChoiceThatARefusalBlocked) {
  v1::Show show = OneChoice(v1::PIN_ENTRY_HERE);
  AddChoice(show);
  Dialogue dialogue = Appeared(show);
  dialogue.Select(0);
  dialogue.SetPinSize(6);
  ASSERT_TRUE(dialogue.Approve(ready_));
  ASSERT_TRUE(dialogue.Handle(Refuse(v1::PIN_TRIES_BLOCKED), ready_));
  EXPECT_FALSE(dialogue.selected());
  dialogue.Select(1);
  EXPECT_TRUE(dialogue.CanApprove(ready_ + Dialogue::kGuard));
}

TEST_F(DialogueTest, UnderstandsNoAnswerToWhatWasNotSaid) {
  Dialogue dialogue = Appeared(OneChoice());
  EXPECT_FALSE(dialogue.Handle(Wait(), ready_));
  EXPECT_FALSE(dialogue.Handle(Refuse(v1::PIN_TRIES_ALL), ready_));
  ASSERT_TRUE(dialogue.Approve(ready_));
  EXPECT_FALSE(dialogue.Handle(v1::ToPrompter(), ready_));
  v1::ToPrompter again;
  *again.mutable_show() = OneChoice();
  EXPECT_FALSE(dialogue.Handle(again, ready_));
}

TEST_F(DialogueTest, TakesNothingOnceTimeHasRunOut) {
  Dialogue dialogue = Appeared(OneChoice());
  EXPECT_EQ(dialogue.Remaining(start_ + seconds(20)), seconds(40));
  dialogue.Tick(start_ + milliseconds(59'999));
  EXPECT_EQ(dialogue.phase(), Phase::kAsking);
  dialogue.Tick(start_ + seconds(60));
  EXPECT_EQ(dialogue.phase(), Phase::kExpired);
  EXPECT_EQ(dialogue.Remaining(start_ + seconds(61)), seconds(0));
  EXPECT_FALSE(dialogue.Approve(start_ + seconds(60)));
  EXPECT_TRUE(dialogue.Handle(Wait(), start_ + seconds(61)));
  EXPECT_EQ(dialogue.phase(), Phase::kExpired);
}

TEST_F(DialogueTest, HasNoEndWithoutADeadline) {
  v1::Show show = OneChoice();
  show.set_deadline_ms(0);
  Dialogue dialogue = Appeared(show);
  dialogue.Tick(start_ + std::chrono::hours(100));
  EXPECT_EQ(dialogue.phase(), Phase::kAsking);
  EXPECT_FALSE(dialogue.Remaining(start_));
}

}  // namespace
}  // namespace signet::prompter
