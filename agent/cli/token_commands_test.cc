#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <signal.h>
#include <termios.h>

#include "agent/cli/cli_fixture.h"

namespace signet::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPin[] = "12 34";
const std::vector<std::string> kUnlock = {"token", "unlock", "card"};
const std::vector<std::string> kUnlockFromStdin = {"token", "unlock", "card", "--pin-stdin"};

class TokenCommandsTest : public CliTest {
 protected:
  void Answer(const v1::AgentMessage& message) { agent_.AnswerUnlock(message.SerializeAsString()); }
};

TEST_F(TokenCommandsTest, PassesThePinOfStandardInputThroughAPipe) {
  for (const std::string& input : {std::string(kPin), kPin + std::string("\n"),
                                   kPin + std::string("\r\n"), kPin + std::string("\nmore\n")}) {
    const Outcome run = RunCommand(kUnlockFromStdin, input);
    EXPECT_EQ(run.exit_code, 0) << run.err;
    EXPECT_EQ(run.out, "card: unlocked\n");
    EXPECT_EQ(agent_.unlocks().pin, kPin);
    EXPECT_EQ(agent_.unlocks().backend, "card");
  }
  EXPECT_EQ(agent_.unlocks().count, 4);
}

TEST_F(TokenCommandsTest, PassesTheLongestPinAndNoLonger) {
  EXPECT_EQ(RunCommand(kUnlockFromStdin, std::string(256, '1')).exit_code, 0);
  EXPECT_EQ(agent_.unlocks().pin, std::string(256, '1'));
  EXPECT_EQ(RunCommand(kUnlockFromStdin, std::string(256, '1') + "\r\n").exit_code, 0);
  for (const size_t size : {257, 258, 259, 5000}) {
    const Outcome run = RunCommand(kUnlockFromStdin, std::string(size, '1'));
    EXPECT_EQ(run.exit_code, 2) << size;
    EXPECT_THAT(run.err, AllOf(HasSubstr("at most 256 bytes"), Not(HasSubstr("11"))));
  }
  EXPECT_EQ(agent_.unlocks().count, 2);
}

TEST_F(TokenCommandsTest, SpendsNoTryWithoutAPin) {
  for (const char* input : {"", "\n", "\r\n"}) {
    const Outcome run = RunCommand(kUnlockFromStdin, input);
    EXPECT_EQ(run.exit_code, 2);
    EXPECT_THAT(run.err, HasSubstr("no PIN was given; no try was spent"));
  }
  EXPECT_EQ(agent_.unlocks().count, 0);
}

TEST_F(TokenCommandsTest, WantsPinStdinWhereNobodyCanBeAsked) {
  const Outcome run = RunCommand(kUnlock, kPin);
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, AllOf(HasSubstr("--pin-stdin"), Not(HasSubstr(kPin))));
  EXPECT_EQ(agent_.unlocks().count, 0);
}

TEST_F(TokenCommandsTest, ExitCodesTellRefusalsApart) {
  struct Case {
    v1::ErrorCode code;
    int exit_code;
    const char* name;
  };
  for (const Case& c : {
           Case{v1::ERROR_CODE_WRONG_PIN, 6, "wrong-pin"},
           Case{v1::ERROR_CODE_PIN_BLOCKED, 7, "pin-blocked"},
           Case{v1::ERROR_CODE_ACCESS, 4, "access-denied"},
           Case{v1::ERROR_CODE_NOT_FOUND, 5, "not-found"},
           Case{v1::ERROR_CODE_FAILED, 1, "failed"},
       }) {
    Answer(FakeAgent::Refused(c.code, "card: unlock: refused; next"));
    const Outcome plain = RunCommand(kUnlockFromStdin, kPin);
    EXPECT_EQ(plain.exit_code, c.exit_code) << c.name;
    EXPECT_EQ(plain.err, "signet: card: unlock: refused; next\n");
    EXPECT_EQ(plain.out, "");
  }
  const int before = agent_.unlocks().count;
  std::vector<std::string> with_json = kUnlockFromStdin;
  with_json.push_back("--json");
  Answer(FakeAgent::Refused(v1::ERROR_CODE_WRONG_PIN, "wrong PIN"));
  const Outcome json = RunCommand(with_json, kPin);
  EXPECT_EQ(json.exit_code, 6);
  EXPECT_EQ(json.json()["error"]["code"], "wrong-pin");
  EXPECT_EQ(agent_.unlocks().count, before + 1);  // one try, no second one
}

TEST_F(TokenCommandsTest, ReportsAnUnlockInJson) {
  std::vector<std::string> arguments = kUnlockFromStdin;
  arguments.push_back("--json");
  EXPECT_EQ(RunCommand(arguments, kPin).json(),
            (nlohmann::json{{"backend", "card"}, {"unlocked", true}, {"was_ready", false}}));
}

TEST_F(TokenCommandsTest, SaysThatATokenNeededNoPin) {
  v1::BackendStatus& other = *agent_.admin.status.add_backends();
  other.set_name("other");
  other.set_state("ready");
  v1::BackendStatus& card = *agent_.admin.status.add_backends();
  card.set_name("card");
  card.set_state("locked");
  EXPECT_EQ(RunCommand(kUnlockFromStdin, kPin).out, "card: unlocked\n");
  card.set_state("ready");
  EXPECT_EQ(RunCommand(kUnlockFromStdin, kPin).out,
            "card: was unlocked already; no PIN was needed\n");
  EXPECT_EQ(agent_.unlocks().count, 2);  // the agent may be mistaken about a token
  std::vector<std::string> with_json = kUnlockFromStdin;
  with_json.push_back("--json");
  EXPECT_EQ(RunCommand(with_json, kPin).json()["was_ready"], true);
}

TEST_F(TokenCommandsTest, ReadsNoPinForATokenWithAPinPad) {
  v1::BackendStatus& card = *agent_.admin.status.add_backends();
  card.set_name("card");
  card.set_state("locked");
  card.set_pin_pad(true);
  const Outcome run = RunCommand(kUnlock, "");  // nor is a terminal needed
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("card: enter the PIN at the reader"));
  EXPECT_EQ(agent_.unlocks().pin, "");
}

TEST_F(TokenCommandsTest, KeepsTheLastTryUnlessToldToSpendIt) {
  v1::BackendStatus& card = *agent_.admin.status.add_backends();
  card.set_name("card");
  card.set_state("locked");
  card.set_pin_tries(v1::PIN_TRIES_LAST);
  for (const bool pin_pad : {false, true}) {
    card.set_pin_pad(pin_pad);
    const Outcome run = RunCommand(kUnlockFromStdin, kPin);
    EXPECT_EQ(run.exit_code, 7);
    EXPECT_THAT(run.err, AllOf(HasSubstr("no try was spent"), HasSubstr("--last-try")));
    EXPECT_EQ(agent_.unlocks().count, pin_pad ? 1 : 0);
    std::vector<std::string> arguments = kUnlockFromStdin;
    arguments.push_back("--last-try");
    EXPECT_EQ(RunCommand(arguments, kPin).exit_code, 0);
    EXPECT_EQ(agent_.unlocks().count, pin_pad ? 2 : 1);
    EXPECT_TRUE(agent_.unlocks().last_try);
  }
}

TEST_F(TokenCommandsTest, SaysThatATokenHasNothingToLockWith) {
  v1::BackendStatus& tpm = *agent_.admin.status.add_backends();
  tpm.set_name("tpm");
  tpm.set_state("ready");  // still, after it was told to lock
  EXPECT_EQ(RunCommand({"token", "lock", "tpm"}).out,
            "tpm: it has no PIN to lock with; it stays ready\n");
  EXPECT_EQ(RunCommand({"token", "lock", "tpm", "--json"}).json(),
            (nlohmann::json{{"backend", "tpm"}, {"unlocked", true}}));
}

TEST_F(TokenCommandsTest, SurvivesAnAgentThatHangsUpOrAnswersGarbage) {
  agent_.AnswerUnlock(std::nullopt);
  EXPECT_EQ(RunCommand(kUnlockFromStdin, kPin).exit_code, 3);
  v1::AgentMessage other_call = FakeAgent::Unlocked();
  other_call.set_id(2);
  v1::AgentMessage other_answer;
  other_answer.set_id(1);
  other_answer.mutable_list_identities();
  for (const std::string& answer :
       {std::string("\xff\xff"), std::string(), other_call.SerializeAsString(),
        other_answer.SerializeAsString()}) {
    agent_.AnswerUnlock(answer);
    const Outcome run = RunCommand(kUnlockFromStdin, kPin);
    EXPECT_EQ(run.exit_code, 1);
    EXPECT_THAT(run.err, AllOf(HasSubstr("one version"), Not(HasSubstr(kPin))));
  }
}

TEST_F(TokenCommandsTest, LocksAToken) {
  const Outcome run = RunCommand({"token", "lock", "card"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.out, "card: locked\n");
  EXPECT_EQ(agent_.admin.lock_request.backend(), "card");
  EXPECT_EQ(RunCommand({"token", "lock", "card", "--json"}).json(),
            (nlohmann::json{{"backend", "card"}, {"unlocked", false}}));
}

TEST_F(TokenCommandsTest, LocksAllTokens) {
  EXPECT_EQ(RunCommand({"token", "lock", "--all"}).out, "all tokens that have a PIN: locked\n");
  EXPECT_TRUE(agent_.admin.lock_request.all());
  EXPECT_EQ(RunCommand({"token", "lock", "--all", "--json"}).json(),
            (nlohmann::json{{"locked", "all"}}));
  EXPECT_EQ(RunCommand({"token", "lock"}).exit_code, 2);
  EXPECT_EQ(RunCommand({"token", "lock", "card", "--all"}).exit_code, 2);
}

// A terminal of which the test holds the other end.
class TerminalTest : public TokenCommandsTest {
 protected:
  void SetUp() override {
    int master, slave;
    ASSERT_EQ(openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
    master_ = ipc::Descriptor(master);
    slave_ = ipc::Descriptor(slave);
  }
  void Type(const std::string& text) {
    ASSERT_EQ(write(master_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  bool Echoes() const {
    termios settings{};
    return tcgetattr(slave_.get(), &settings) == 0 && (settings.c_lflag & ECHO) != 0;
  }

  ipc::Descriptor master_, slave_;
};

// Types once the question is on the screen: what is typed earlier is thrown away.
class TypingStream : public std::stringbuf {
 public:
  explicit TypingStream(std::function<void()> type) : type_(std::move(type)) {}
  int sync() override {
    if (str().find("PIN for") != std::string::npos && type_) std::exchange(type_, nullptr)();
    return 0;
  }

 private:
  std::function<void()> type_;
};

TEST_F(TerminalTest, AsksForThePinWithEchoOff) {
  bool echoed = true;
  TypingStream screen([&] {
    echoed = Echoes();
    Type(std::string(kPin) + "\n");
  });
  std::ostringstream out;
  std::ostream err(&screen);
  Console console{slave_.get(), out, err};
  EXPECT_EQ(RunCli({"token", "unlock", "card", "--agent", agent_.socket()}, console), 0);
  EXPECT_FALSE(echoed);
  EXPECT_TRUE(Echoes());
  EXPECT_EQ(agent_.unlocks().pin, kPin);
  EXPECT_EQ(screen.str(), "PIN for card: \n");
  EXPECT_EQ(out.str(), "card: unlocked\n");
}

TEST_F(TerminalTest, TheLastTryNeedsAWord) {
  v1::BackendStatus& card = *agent_.admin.status.add_backends();
  card.set_name("card");
  card.set_state("locked");
  card.set_pin_tries(v1::PIN_TRIES_LAST);
  struct Case {
    const char* answer;
    int exit_code;
    int unlocks;
  };
  for (const Case& c : {Case{"y\n", 1, 0}, Case{"\n", 1, 0}, Case{"last tries\n", 1, 0},
                        Case{"last try\n", 0, 1}}) {
    TypingStream screen([&] { Type(std::string(kPin) + "\n"); });
    std::ostringstream out;
    std::ostream err(&screen);
    Console console{slave_.get(), out, err};
    Type(c.answer);
    EXPECT_EQ(RunCli({"token", "unlock", "card", "--agent", agent_.socket()}, console),
              c.exit_code);
    EXPECT_EQ(agent_.unlocks().count, c.unlocks) << c.answer;
    EXPECT_THAT(screen.str(), HasSubstr("only one PIN try is left"));
  }
  EXPECT_TRUE(agent_.unlocks().last_try);
  EXPECT_EQ(agent_.unlocks().pin, kPin);
}

TEST_F(TerminalTest, SaysHowManyTriesAreLeft) {
  v1::BackendStatus& card = *agent_.admin.status.add_backends();
  card.set_name("card");
  card.set_state("locked");
  card.set_pin_tries(v1::PIN_TRIES_FEW);
  card.set_tries_left(2);
  TypingStream screen([&] { Type(std::string(kPin) + "\n"); });
  std::ostringstream out;
  std::ostream err(&screen);
  Console console{slave_.get(), out, err};
  EXPECT_EQ(RunCli({"token", "unlock", "card", "--agent", agent_.socket()}, console), 0);
  EXPECT_EQ(screen.str(), "PIN for card (tries left: 2): \n");
  EXPECT_FALSE(agent_.unlocks().last_try);
}

volatile sig_atomic_t interrupted = 0;

TEST_F(TerminalTest, ASignalGivesTheTerminalBackAndSpendsNoTry) {
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) { interrupted = 1; };
  sigaction(SIGINT, &action, &before);
  TypingStream screen([&] { raise(SIGINT); });
  std::ostringstream out;
  std::ostream err(&screen);
  Console console{slave_.get(), out, err};
  EXPECT_EQ(RunCli({"token", "unlock", "card", "--agent", agent_.socket()}, console), 1);
  sigaction(SIGINT, &before, nullptr);
  EXPECT_EQ(interrupted, 1);
  EXPECT_TRUE(Echoes());
  EXPECT_EQ(agent_.unlocks().count, 0);
  EXPECT_THAT(screen.str(), HasSubstr("no try was spent"));
}

TEST_F(TerminalTest, RemoveAsksFirst) {
  struct Case {
    const char* answer;
    int exit_code;
    int calls;
  };
  for (const Case& c : {Case{"y\n", 0, 1}, Case{"n\n", 1, 0}, Case{"\n", 1, 0}}) {
    agent_.admin.calls = 0;
    Type(c.answer);
    const Outcome run = RunOn(slave_.get(), {"identity", "remove", "laptop"});
    tcflush(slave_.get(), TCIFLUSH);
    EXPECT_EQ(run.exit_code, c.exit_code) << c.answer;
    EXPECT_THAT(run.err, HasSubstr("Remove identity laptop and destroy its key?"));
    EXPECT_EQ(agent_.admin.calls, c.calls);
  }
}

}  // namespace
}  // namespace signet::cli
