#include "agent/policy/remembered_answers.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace signet::agent {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using Scope = OncePer::Scope;

constexpr RememberedAnswers::Time kNoon{seconds(1'000'000)};
constexpr OncePer kConnection{Scope::kConnection, 0}, kSession{Scope::kSession, 0},
    kRequest{Scope::kRequest, 0}, kDay{Scope::kHours, 24}, kHour{Scope::kHours, 1};

Question MakeOne() {
  Question question;
  question.uid = 1000;
  question.program = {1, 2, "/usr/bin/firefox"};
  question.session = {"3", LoginSession::Type::kLocal};
  question.origin = *ParseOrigin("https://a.example");
  question.identity = "alice";
  question.public_key = {1};
  question.connection = {7};
  return question;
}

TEST(RememberedAnswers, CountForTheSameQuestionAlone) {
  const std::vector<std::function<void(Question&)>> changes = {
      [](Question& q) { q.uid = 1001; },         [](Question& q) { q.program.inode = 3; },
      [](Question& q) { q.origin.port = 8443; }, [](Question& q) { q.identity = "bob"; },
      [](Question& q) { q.public_key = {2}; },
  };
  for (const OncePer& once_per : {kConnection, kSession, kDay}) {
    RememberedAnswers answers;
    answers.Remember(MakeOne(), once_per, kNoon);
    EXPECT_TRUE(answers.Agreed(MakeOne(), once_per, kNoon));
    for (const auto& change : changes) {
      Question other = MakeOne();
      change(other);
      EXPECT_FALSE(answers.Agreed(other, once_per, kNoon));
    }
  }
}

TEST(RememberedAnswers, CountForTheScopeTheyWereGivenFor) {
  Question elsewhere = MakeOne();
  elsewhere.connection = {8};
  Question later = elsewhere;
  later.session.id = "4";
  const struct {
    OncePer given;
    OncePer asked;
    bool same, other_connection, other_session;
  } cases[] = {
      {kRequest, kRequest, false, false, false},    {kConnection, kConnection, true, false, false},
      {kSession, kSession, true, true, false},      {kDay, kDay, true, true, true},
      {kDay, kConnection, false, false, false},     {kConnection, kDay, false, false, false},
      {kSession, kConnection, false, false, false}, {kDay, kRequest, false, false, false},
  };
  for (const auto& c : cases) {
    RememberedAnswers answers;
    answers.Remember(MakeOne(), c.given, kNoon);
    EXPECT_EQ(answers.Agreed(MakeOne(), c.asked, kNoon), c.same);
    EXPECT_EQ(answers.Agreed(elsewhere, c.asked, kNoon), c.other_connection);
    EXPECT_EQ(answers.Agreed(later, c.asked, kNoon), c.other_session);
  }
}

TEST(RememberedAnswers, CountForTheFewerHours) {
  RememberedAnswers answers;
  answers.Remember(MakeOne(), kDay, kNoon);
  EXPECT_TRUE(answers.Agreed(MakeOne(), kDay, kNoon + hours(24) - seconds(1)));
  EXPECT_FALSE(answers.Agreed(MakeOne(), kDay, kNoon + hours(24)));
  EXPECT_FALSE(answers.Agreed(MakeOne(), kDay, kNoon - seconds(1))) << "the clock was set back";
  EXPECT_FALSE(answers.Agreed(MakeOne(), kHour, kNoon + hours(2))) << "the rule became stricter";
  RememberedAnswers short_answers;
  short_answers.Remember(MakeOne(), kHour, kNoon);
  EXPECT_FALSE(short_answers.Agreed(MakeOne(), kDay, kNoon + hours(2))) << "nobody agreed to that";
}

TEST(RememberedAnswers, NothingIsRememberedWithoutASessionOrAProgram) {
  RememberedAnswers answers;
  Question question = MakeOne();
  question.session = {};
  answers.Remember(question, kSession, kNoon);
  EXPECT_TRUE(answers.List(kNoon).empty());
  EXPECT_FALSE(answers.Agreed(question, kSession, kNoon));
  EXPECT_FALSE(MakeQuestion(Caller{}, question.origin, Identity{}, {}).has_value());
}

TEST(RememberedAnswers, AreListedAndForgottenOneByOne) {
  RememberedAnswers answers;
  Question other = MakeOne();
  other.identity = "bob";
  answers.Remember(MakeOne(), kDay, kNoon);
  answers.Remember(other, kHour, kNoon);
  answers.Remember(MakeOne(), kDay, kNoon + seconds(1));  // takes the place of the first
  const std::vector<RememberedAnswer> listed = answers.List(kNoon + seconds(1));
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].question.identity, "bob");
  EXPECT_EQ(listed[1].question.identity, "alice");
  EXPECT_TRUE(answers.Forget(listed[1].id));
  EXPECT_FALSE(answers.Forget(listed[1].id));
  EXPECT_FALSE(answers.Agreed(MakeOne(), kDay, kNoon + seconds(1)));
  EXPECT_TRUE(answers.Agreed(other, kHour, kNoon + seconds(1)));
  EXPECT_TRUE(answers.List(kNoon + hours(1)).empty()) << "over";
}

TEST(RememberedAnswers, OfOneUserPushOutNoOthers) {
  RememberedAnswers answers;
  Question other_user = MakeOne();
  other_user.uid = 1001;
  answers.Remember(other_user, kDay, kNoon);
  for (size_t i = 0; i < RememberedAnswers::kMaxPerUid + 1; ++i) {
    Question question = MakeOne();
    question.identity = std::to_string(i);
    answers.Remember(question, kDay, kNoon);
  }
  const std::vector<RememberedAnswer> listed = answers.List(kNoon);
  EXPECT_EQ(listed.size(), RememberedAnswers::kMaxPerUid + 1);
  EXPECT_EQ(listed[0].question.uid, 1001u);
  EXPECT_EQ(listed[1].question.identity, "1") << "the oldest of that user went";
}

}  // namespace
}  // namespace signet::agent
