#include "agent/consent/prompt_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <exception>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace signet::agent {
namespace {

using ::testing::ElementsAre;
using Kind = Answer::Kind;

// Shows each prompt until it is told what the person does.
class FakeWindow : public Prompter {
 public:
  asio::awaitable<Answer> Ask(Prompt prompt, Settled) override {
    asio::steady_timer answered(co_await asio::this_coro::executor, prompt.deadline);
    struct Showing {
      FakeWindow& window;
      ~Showing() {
        window.timer = nullptr;
        ++window.closed;
      }
    } const showing{*this};
    timer = &answered;
    shown.push_back(prompt.origin.host);
    answer = Answer::Not(Kind::kTooLate, "");
    asio::error_code ignored;
    co_await answered.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return answer;
  }

  void Say(Answer given) {
    ASSERT_NE(timer, nullptr) << "nothing is shown";
    answer = std::move(given);
    timer->cancel();
  }

  std::vector<std::string> shown;
  int closed = 0;
  Answer answer;
  asio::steady_timer* timer = nullptr;
};

class PromptQueueTest : public ::testing::Test {
 protected:
  struct Caller {
    asio::cancellation_signal leave;
    std::optional<Answer> answer;
    bool cancelled = false;
  };

  PromptQueueTest() : queue_(loop_.get_executor(), window_, [this] { return now_; }) {}

  static Prompt Ask(const std::string& host = "a.example", ino_t program = 1, uid_t uid = 1000) {
    Prompt prompt;
    prompt.caller.uid = uid;
    prompt.caller.pid = 42;
    prompt.caller.executable = Executable{1, program, "/usr/bin/program"};
    prompt.origin = {host, 443};
    prompt.choices = {{}, {}};
    prompt.choices[0].identity.name = "alice";
    prompt.choices[1].identity.name = "bob";
    prompt.deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
    return prompt;
  }

  Caller& Call(Prompt prompt, Settled settled = {}) {
    Caller& caller = callers_.emplace_back();
    asio::co_spawn(loop_, queue_.Ask(std::move(prompt), std::move(settled)),
                   asio::bind_cancellation_slot(caller.leave.slot(),
                                                [&](std::exception_ptr thrown, Answer answer) {
                                                  caller.cancelled = thrown != nullptr;
                                                  if (!thrown) caller.answer = std::move(answer);
                                                }));
    Work();
    return caller;
  }
  void Work() {
    loop_.restart();
    loop_.poll();
  }
  void Say(Answer answer) {
    window_.Say(std::move(answer));
    Work();
  }
  void Leave(Caller& caller) {
    caller.leave.emit(asio::cancellation_type::terminal);
    Work();
  }

  ~PromptQueueTest() override {
    queue_.OnChange({});
    for (Caller& caller : callers_) {
      if (!caller.answer && !caller.cancelled) Leave(caller);
    }
  }

  asio::io_context loop_;
  FakeWindow window_;
  std::chrono::steady_clock::time_point now_{};
  std::list<Caller> callers_;
  PromptQueue queue_;
};

TEST_F(PromptQueueTest, TwentyEqualQuestionsAreOnePromptAndTwentyAnswers) {
  for (int i = 0; i < 20; ++i) Call(Ask());
  EXPECT_THAT(window_.shown, ElementsAre("a.example"));
  Say(Answer::Chosen(1));
  for (const Caller& caller : callers_) {
    ASSERT_TRUE(caller.answer.has_value());
    EXPECT_EQ(caller.answer->kind, Kind::kChosen);
    EXPECT_EQ(caller.answer->choice, 1u);
  }
  EXPECT_THAT(window_.shown, ElementsAre("a.example"));
  EXPECT_TRUE(queue_.List().empty());
}

TEST_F(PromptQueueTest, OnlyEqualQuestionsShare) {
  const Prompt asked = Ask();
  EXPECT_TRUE(SameQuestion(asked, Ask()));
  struct Difference {
    const char* what;
    void (*make)(Prompt&);
  };
  for (const auto& [what, make] : std::initializer_list<Difference>{
           {"uid", [](Prompt& p) { p.caller.uid = 1001; }},
           {"program", [](Prompt& p) { p.caller.executable->inode = 2; }},
           {"device", [](Prompt& p) { p.caller.executable->device = 2; }},
           {"unknown program", [](Prompt& p) { p.caller.executable.reset(); }},
           {"session", [](Prompt& p) { p.caller.login_session.id = "7"; }},
           {"origin", [](Prompt& p) { p.origin.port = 8443; }},
           {"trust in the origin", [](Prompt& p) { p.origin_trusted = true; }},
           {"identities", [](Prompt& p) { p.choices.pop_back(); }},
           {"identity", [](Prompt& p) { p.choices[1].identity.name = "carol"; }},
           {"key", [](Prompt& p) { p.choices[1].identity.public_key = {1}; }},
           {"what is asked", [](Prompt& p) { p.choices[0].asks = true; }},
           {"for how long", [](Prompt& p) { p.choices[0].once_per.hours = 3; }}}) {
    Prompt other = Ask();
    make(other);
    EXPECT_FALSE(SameQuestion(asked, other)) << what;
  }
  Prompt another_process = Ask();
  another_process.caller.pid = 43;
  EXPECT_TRUE(SameQuestion(asked, another_process));
  another_process.caller.executable.reset();
  Prompt unknown = Ask();
  unknown.caller.executable.reset();
  EXPECT_FALSE(SameQuestion(unknown, another_process)) << "two processes of which nothing is known";
}

TEST_F(PromptQueueTest, APersonSeesOnePromptAtATime) {
  Caller& first = Call(Ask("a.example"));
  Caller& second = Call(Ask("b.example"));
  Caller& another_person = Call(Ask("c.example", 1, 1001));
  EXPECT_THAT(window_.shown, ElementsAre("a.example", "c.example"));
  EXPECT_EQ(queue_.List().size(), 3u);
  Say(Answer::Chosen(0));  // to the one shown last
  EXPECT_TRUE(another_person.answer.has_value());
  Leave(first);
  EXPECT_THAT(window_.shown, ElementsAre("a.example", "c.example", "b.example"));
  Say(Answer::Not(Kind::kLeft, "no"));
  EXPECT_EQ(second.answer->kind, Kind::kLeft);
  EXPECT_EQ(second.answer->reason, "no");
}

TEST_F(PromptQueueTest, WhatNeedsNobodyAnyMoreIsNotShown) {
  Call(Ask("a.example"));
  bool unlocked = false;
  Settled settled = [&]() -> std::optional<size_t> {
    return unlocked ? std::optional<size_t>(1) : std::nullopt;
  };
  Caller& second = Call(Ask("b.example"), settled);
  unlocked = true;
  Say(Answer::Chosen(0));
  ASSERT_TRUE(second.answer.has_value());
  EXPECT_EQ(second.answer->choice, 1u);
  EXPECT_THAT(window_.shown, ElementsAre("a.example"));
}

TEST_F(PromptQueueTest, WhoLeavesTakesTheQuestionBackUnlessOthersShareIt) {
  Caller& first = Call(Ask());
  Caller& second = Call(Ask());
  Leave(first);
  EXPECT_TRUE(first.cancelled);
  EXPECT_EQ(window_.closed, 0);
  Leave(second);
  EXPECT_EQ(window_.closed, 1);
  EXPECT_TRUE(queue_.List().empty());
}

TEST_F(PromptQueueTest, WhoComesWhileItIsTakenBackIsAskedAnew) {
  Caller& first = Call(Ask());
  first.leave.emit(asio::cancellation_type::terminal);
  Caller& second = Call(Ask());
  EXPECT_THAT(window_.shown, ElementsAre("a.example", "a.example"));
  Say(Answer::Chosen(0));
  EXPECT_EQ(second.answer->kind, Kind::kChosen);
}

TEST_F(PromptQueueTest, EachWaitsUntilItsOwnDeadline) {
  Caller* first = nullptr;
  // On a busy machine the deadline may be over before anything is shown.
  for (std::chrono::milliseconds patience(20); window_.shown.empty(); patience *= 2) {
    Prompt brief = Ask();
    brief.deadline = std::chrono::steady_clock::now() + patience;
    first = &Call(brief);
  }
  Caller& second = Call(Ask());
  while (!first->answer) loop_.run_one();
  EXPECT_EQ(first->answer->kind, Kind::kTooLate);
  // The window of the first closed at its deadline, and the other still wants an answer.
  while (window_.shown.size() < 2) loop_.run_one();
  Say(Answer::Chosen(0));
  EXPECT_EQ(second.answer->kind, Kind::kChosen);
}

TEST_F(PromptQueueTest, TooManyQuestionsAreDeclined) {
  for (size_t i = 0; i < PromptQueue::kMaxPerUid; ++i) Call(Ask(std::to_string(i) + ".example"));
  Caller& one_more = Call(Ask("z.example"));
  ASSERT_TRUE(one_more.answer.has_value());
  EXPECT_EQ(one_more.answer->kind, Kind::kTooMany);
  EXPECT_FALSE(Call(Ask("a.example", 1, 1001)).answer.has_value()) << "another person";
  EXPECT_FALSE(Call(Ask("0.example")).answer.has_value()) << "shares";
}

TEST_F(PromptQueueTest, AProgramRefusedAgainAndAgainIsSilencedForAWhile) {
  const auto refuse = [&] {
    Call(Ask());
    Say(Answer::Not(Kind::kLeft, "no"));
  };
  for (size_t i = 0; i < Refusals::kMost; ++i) {
    now_ += std::chrono::seconds(1);
    refuse();
  }
  Caller& silenced = Call(Ask("other.example"));
  ASSERT_TRUE(silenced.answer.has_value());
  EXPECT_EQ(silenced.answer->kind, Kind::kTooMany);
  EXPECT_FALSE(Call(Ask("a.example", 2)).answer.has_value()) << "another program";
  Say(Answer::Chosen(0));
  now_ += Refusals::kSilence;
  EXPECT_FALSE(Call(Ask()).answer.has_value());
}

TEST_F(PromptQueueTest, RefusalsFarApartSilenceNobody) {
  for (size_t i = 0; i < 2 * Refusals::kMost; ++i) {
    now_ += Refusals::kWithin;
    Caller& caller = Call(Ask());
    Say(Answer::Not(Kind::kLeft, "no"));
    EXPECT_EQ(caller.answer->kind, Kind::kLeft);
  }
}

TEST_F(PromptQueueTest, OthersSeeWhatWaits) {
  int changes = 0;
  queue_.OnChange([&] { ++changes; });
  Call(Ask("a.example"));
  Call(Ask("b.example"));
  const std::vector<PendingPrompt> pending = queue_.List();
  ASSERT_EQ(pending.size(), 2u);
  EXPECT_EQ(pending[0].origin, "https://a.example:443");
  EXPECT_EQ(pending[0].program, "/usr/bin/program");
  EXPECT_TRUE(pending[0].shown);
  EXPECT_FALSE(pending[1].shown);
  EXPECT_GT(changes, 0);
  changes = 0;
  Say(Answer::Chosen(0));
  EXPECT_GT(changes, 0);
  EXPECT_EQ(queue_.List().size(), 1u);
}

}  // namespace
}  // namespace signet::agent
