// Real processes: tests/support/scripted_prompter does what a person would.
#include "agent/prompting/prompting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/prompting/fake_desk.h"
#include "tests/support/temporary_folder.h"

namespace signet::agent {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Kind = Answer::Kind;

constexpr std::chrono::seconds kEndPatience{1};  // of prompter_process.cc

class PromptingTest : public ::testing::Test {
 protected:
  PromptingTest() {
    for (const char* name : {kWindowProgram, kTerminalProgram}) {
      std::filesystem::create_symlink(SIGNET_SCRIPTED_PROMPTER, folder_.path() / name);
    }
  }

  void Script(const std::string& text, const std::string& program = kWindowProgram) {
    std::ofstream(folder_.path() / (program + ".script")) << text;
  }
  std::vector<std::string> Log(const std::string& program = kWindowProgram) const {
    std::vector<std::string> lines;
    std::ifstream log(folder_.path() / (program + ".log"));
    for (std::string line; std::getline(log, line);) lines.push_back(line);
    return lines;
  }

  static Prompt Question(bool wants_pin = false) {
    Prompt prompt;
    prompt.caller.pid = 42;
    prompt.caller.uid = geteuid();
    prompt.origin = {"a.example", 443};
    for (const char* name : {"alice", "bob"}) {
      Choice choice;
      choice.identity.name = name;
      choice.identity.key.backend = "card";
      choice.asks = !wants_pin;
      choice.wants_pin = wants_pin;
      prompt.choices.push_back(choice);
    }
    prompt.deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    return prompt;
  }

  // Runs the loop until the call and its process have ended.
  Answer Ask(Prompt prompt) {
    Answer result;
    asio::co_spawn(loop_, prompting_.Ask(std::move(prompt), {}),
                   [&](std::exception_ptr thrown, Answer answer) {
                     EXPECT_EQ(thrown, nullptr);
                     result = std::move(answer);
                   });
    loop_.restart();
    loop_.run();
    return result;
  }

  const test::TemporaryFolder folder_;
  asio::io_context loop_;
  FakeDesk desk_;
  PromptPlace place_{PromptPlace::Kind::kX11, ":77", "/home/x/.Xauthority"};
  Prompting prompting_{loop_.get_executor(), folder_.path(),
                       [this](const Caller&) { return place_; }, desk_};
};

TEST_F(PromptingTest, APersonChooses) {
  Script("choose 1\n");
  const Answer answer = Ask(Question());
  EXPECT_EQ(answer.kind, Kind::kChosen) << answer.reason;
  EXPECT_EQ(answer.choice, 1u);
  EXPECT_THAT(Log(), Contains(AllOf(StartsWith("got show"), HasSubstr("https://a.example:443"),
                                    HasSubstr("alice"), HasSubstr("bob"))));
  EXPECT_EQ(Log().back(), "closed");
}

TEST_F(PromptingTest, APersonLeaves) {
  Script("leave\n");
  EXPECT_EQ(Ask(Question()).kind, Kind::kLeft);
}

TEST_F(PromptingTest, AWrongPinCostsOneTryAndMayBeCorrected) {
  Script("choose 0 0000\nreceive\nreceive\nchoose 0 1234\nreceive\n");
  const Answer answer = Ask(Question(true));
  EXPECT_EQ(answer.kind, Kind::kChosen) << answer.reason;
  EXPECT_EQ(desk_.unlocks, 2);
  EXPECT_THAT(Log(), Contains(AllOf(StartsWith("got refuse"), HasSubstr("wrong PIN"),
                                    HasSubstr("PIN_TRIES_FEW"), HasSubstr("tries_left: 2"))));
  for (const std::string& line : Log()) EXPECT_THAT(line, Not(HasSubstr("1234")));
}

TEST_F(PromptingTest, OnlyAPersonSpendsTheLastTry) {
  Script("choose 0 0000\nreceive\nreceive\nchoose 0 0000 last\nreceive\nreceive\nleave\n");
  EXPECT_EQ(Ask(Question(true)).kind, Kind::kLeft);
  EXPECT_THAT(desk_.last_tries, ::testing::ElementsAre(LastTry::kKeep, LastTry::kSpend));
}

TEST_F(PromptingTest, APinPadAsksByItself) {
  desk_.status.pin_pad = true;
  Script("choose 0\nreceive\n");
  EXPECT_EQ(Ask(Question(true)).kind, Kind::kChosen);
  EXPECT_EQ(desk_.unlocks, 1);
  EXPECT_THAT(Log(), Contains(AllOf(StartsWith("got wait"), HasSubstr("reader"))));
}

TEST_F(PromptingTest, APersonMayLeaveWhileTheTokenIsBusy) {
  desk_.busy = true;
  Script("choose 0 1234\nreceive\nleave\n");
  EXPECT_EQ(Ask(Question(true)).kind, Kind::kLeft);
}

TEST_F(PromptingTest, ThereIsNoChoiceWithoutThePin) {
  Script("choose 0\n");
  EXPECT_EQ(Ask(Question(true)).kind, Kind::kNobody);
  EXPECT_EQ(desk_.unlocks, 0);
}

TEST_F(PromptingTest, APrompterThatMakesNoSenseGrantsNothing) {
  for (const char* script : {"garbage\n", "choose 2\n", "exit\n", "choose 4294967295\n"}) {
    Script(script);
    const Answer answer = Ask(Question());
    EXPECT_EQ(answer.kind, Kind::kNobody) << script;
    EXPECT_THAT(answer.reason, HasSubstr("see signetd's log")) << script;
  }
}

TEST_F(PromptingTest, APrompterThatCanShowNothingSaysWhy) {
  Script("fail display :77 can't be opened\n");
  const Answer answer = Ask(Question());
  EXPECT_EQ(answer.kind, Kind::kNobody);
  EXPECT_EQ(answer.reason, "display :77 can't be opened");
}

TEST_F(PromptingTest, TheDeadlineClosesIt) {
  Script("");
  Prompt question = Question();
  question.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
  const Deadline deadline = question.deadline;
  EXPECT_EQ(Ask(std::move(question)).kind, Kind::kTooLate);
  EXPECT_GE(std::chrono::steady_clock::now(), deadline);
}

TEST_F(PromptingTest, OneThatDoesNotEndIsKilledAndKeepsNobodyWaiting) {
  Script("linger\nchoose 0\n");
  const auto begin = std::chrono::steady_clock::now();
  bool ran = false;  // still, when the answer came
  asio::co_spawn(loop_, prompting_.Ask(Question(), {}), [&](std::exception_ptr, Answer answer) {
    EXPECT_EQ(answer.kind, Kind::kChosen) << answer.reason;
    ran = waitpid(-1, nullptr, WNOHANG) == 0;
  });
  loop_.run();
  EXPECT_TRUE(ran);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, kEndPatience) << "it was given time";
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "and then no more";
}

TEST_F(PromptingTest, TheNextStartsWhenTheOneBeforeHasEnded) {
  Script("linger\nchoose 0\n");
  const auto begin = std::chrono::steady_clock::now();
  int answered = 0;
  for (int i = 0; i < 2; ++i) {
    asio::co_spawn(loop_, prompting_.Ask(Question(), {}),
                   [&](std::exception_ptr, Answer) { ++answered; });
    while (answered <= i) loop_.run_one();
  }
  EXPECT_GE(std::chrono::steady_clock::now() - begin, kEndPatience) << "it was being ended";
  loop_.run();
}

// Asked until a test does something about it; the prompter shows the question by then.
class TokensMeanwhileTest : public PromptingTest {
 protected:
  void Launch(Prompt prompt) {
    asio::co_spawn(loop_, prompting_.Ask(std::move(prompt), {}),
                   [this](std::exception_ptr thrown, Answer answer) {
                     EXPECT_EQ(thrown, nullptr);
                     answer_ = std::move(answer);
                   });
    RunUntil([this] { return Shown().size() == 1; });
  }
  void SetState(BackendState state) {
    desk_.status.state = state;
    prompting_.TokensChanged();
  }
  std::vector<std::string> Shown() const {
    std::vector<std::string> shown = Log();
    std::erase_if(shown, [](const std::string& line) { return !line.starts_with("got show"); });
    return shown;
  }
  void RunUntil(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(50);
    loop_.restart();
    while (!done()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "what the test waits for did not come";
      loop_.run_one_for(std::chrono::milliseconds(5));
      if (loop_.stopped()) loop_.restart();
    }
  }
  Answer Finish() {
    RunUntil([this] { return answer_.has_value(); });
    loop_.restart();
    loop_.run();
    return answer_.value_or(Answer{});
  }

  std::optional<Answer> answer_;
};

TEST_F(TokensMeanwhileTest, OneThatIsUnlockedElsewhereIsChosen) {
  Script("");
  Launch(Question(true));
  SetState(BackendState::kReady);
  const Answer answer = Finish();
  EXPECT_EQ(answer.kind, Kind::kChosen) << answer.reason;
  EXPECT_EQ(answer.choice, 0u);
  EXPECT_EQ(desk_.unlocks, 0);
  EXPECT_EQ(Log().back(), "closed");
}

TEST_F(TokensMeanwhileTest, WhereARuleAsksThePersonIsAskedAnewWithoutThePin) {
  const std::string go = folder_.path() / "go";
  Script(absl::StrCat("wait ", go, "\nchoose 1\n"));
  Prompt question = Question(true);
  for (Choice& choice : question.choices) choice.asks = true;
  Launch(std::move(question));
  EXPECT_THAT(Shown().front(), HasSubstr("PIN_ENTRY_HERE"));
  SetState(BackendState::kReady);
  RunUntil([this] { return Shown().size() == 2; });
  std::ofstream(go).close();
  const Answer answer = Finish();
  EXPECT_EQ(answer.kind, Kind::kChosen) << answer.reason;
  EXPECT_EQ(answer.choice, 1u) << "the person's, not the first";
  ASSERT_EQ(Shown().size(), 2u);
  EXPECT_THAT(Shown().back(), Not(HasSubstr("PIN_ENTRY_HERE")));
  EXPECT_EQ(desk_.unlocks, 0);
}

TEST_F(TokensMeanwhileTest, OneThatIsPulledEndsTheQuestionForItsPin) {
  Script("");
  Launch(Question(true));
  SetState(BackendState::kFailed);
  EXPECT_EQ(Finish().kind, Kind::kNobody);
  EXPECT_EQ(Log().back(), "closed");
}

TEST_F(TokensMeanwhileTest, WhatStartsAnewDoesNotEndTheQuestion) {
  const std::string go = folder_.path() / "go";
  Script(absl::StrCat("wait ", go, "\nchoose 1 1234\n"));
  Launch(Question(true));
  for (const BackendState state : {BackendState::kStarting, BackendState::kLocked}) {
    SetState(state);
    loop_.restart();
    loop_.poll();
    ASSERT_FALSE(answer_.has_value());
  }
  std::ofstream(go).close();
  const Answer answer = Finish();
  EXPECT_EQ(answer.kind, Kind::kChosen) << answer.reason;
  EXPECT_EQ(answer.choice, 1u);
  EXPECT_EQ(desk_.unlocks, 1);
}

// The agent believed it open, and learnt otherwise only when it was to sign.
TEST_F(TokensMeanwhileTest, OneThatWasNeverSeenLockedIsNotTakenForUnlocked) {
  const std::string go = folder_.path() / "go";
  Script(absl::StrCat("wait ", go, "\nchoose 0 1234\n"));
  desk_.status.state = BackendState::kReady;
  Launch(Question(true));
  SetState(BackendState::kReady);
  loop_.restart();
  loop_.poll();
  EXPECT_FALSE(answer_.has_value());
  std::ofstream(go).close();
  EXPECT_EQ(Finish().kind, Kind::kChosen);
  EXPECT_EQ(desk_.unlocks, 1);
}

TEST_F(PromptingTest, CancellingClosesIt) {
  Script("");
  asio::cancellation_signal cancel;
  bool over = false;
  asio::co_spawn(loop_, prompting_.Ask(Question(), {}),
                 asio::bind_cancellation_slot(cancel.slot(),
                                              [&](std::exception_ptr, Answer) { over = true; }));
  loop_.restart();
  const auto has_question = [&] { return !Log().empty() && Log().back().starts_with("got show"); };
  while (!has_question()) loop_.run_for(std::chrono::milliseconds(5));
  EXPECT_FALSE(over);
  cancel.emit(asio::cancellation_type::terminal);
  loop_.run();
  EXPECT_TRUE(over);
  EXPECT_EQ(Log().back(), "closed");
}

TEST_F(PromptingTest, ItGetsNothingButItsSocketAndWhatThePlaceNeeds) {
  ASSERT_EQ(setenv("SIGNET_TEST_SECRET", "x", 1), 0);
  Script("leave\n");
  Ask(Question());
  std::vector<std::string> descriptors;
  for (const std::string& line : Log()) {
    if (line.starts_with("fd ")) descriptors.push_back(line);
  }
  EXPECT_THAT(descriptors, ::testing::UnorderedElementsAre("fd 0", "fd 1", "fd 2", "fd 3"));
  EXPECT_THAT(Log(), Contains("env DISPLAY=:77"));
  EXPECT_THAT(Log(), Contains("env XAUTHORITY=/home/x/.Xauthority"));
  EXPECT_THAT(Log(), Contains(absl::StrCat("env XDG_RUNTIME_DIR=/run/user/", geteuid())));
  EXPECT_THAT(Log(), Not(Contains(HasSubstr("SIGNET_TEST_SECRET"))));
}

TEST_F(PromptingTest, ATerminalGetsTheOtherProgram) {
  place_ = {PromptPlace::Kind::kTerminal, "/dev/tty2"};
  Script("leave\n", kTerminalProgram);
  EXPECT_EQ(Ask(Question()).kind, Kind::kLeft);
  EXPECT_THAT(Log(kTerminalProgram), Contains("started /dev/tty2"));
  EXPECT_THAT(Log(kTerminalProgram), Contains("env TERM=linux"));
  EXPECT_TRUE(Log().empty());
}

TEST_F(PromptingTest, RootAsksAnotherUserAsThatUser) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
  Script("leave\n");
  Prompt question = Question();
  question.caller.uid = 1;  // "daemon" of every Debian
  EXPECT_EQ(Ask(std::move(question)).kind, Kind::kLeft);
  EXPECT_THAT(Log(), Contains("uid 1"));
  EXPECT_THAT(Log(), Contains("env USER=daemon"));
}

TEST_F(PromptingTest, WithoutAPlaceAccountOrProgramNobodyIsAsked) {
  Prompt nobody = Question();
  nobody.caller.uid = 0x7ffffff0;
  EXPECT_THAT(Ask(std::move(nobody)).reason, HasSubstr("no account"));
  place_ = PromptPlace::None("no display");
  EXPECT_EQ(Ask(Question()).reason, "no display");
  place_ = {PromptPlace::Kind::kWayland, "wayland-0"};
  std::filesystem::remove(folder_.path() / kWindowProgram);
  const Answer answer = Ask(Question());
  EXPECT_EQ(answer.kind, Kind::kNobody);
  EXPECT_THAT(answer.reason, HasSubstr("install"));
}

}  // namespace
}  // namespace signet::agent
