#include "agent/prompter/wording.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/prompter/shown_text.h"

namespace signet::prompter {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

v1::Program Curl() {
  v1::Program program;
  program.set_path("/usr/bin/curl");
  program.set_pid(1234);
  program.set_uid(1000);
  for (const char* name : {"bash", "sshd"}) {
    v1::Process* parent = program.add_parents();
    parent->set_pid(static_cast<uint32_t>(1233 - program.parents_size()));
    parent->set_name(name);
  }
  return program;
}

std::string WithoutIsolates(std::string text) {
  for (const char* mark : {"\u2068", "\u2069"}) {
    for (size_t at; (at = text.find(mark)) != std::string::npos;) text.erase(at, 3);
  }
  return text;
}

TEST(WordingTest, SaysWhoStartedTheProgram) {
  EXPECT_EQ(WithoutIsolates(Lineage(Curl())), "curl (1234) ← bash (1232) ← sshd (1231)");
}

TEST(WordingTest, LeavesOutTheMiddleOfALongLine) {
  v1::Program program = Curl();
  for (int count = 0; count < 1000; ++count) program.add_parents()->set_name("x");
  const std::string line = WithoutIsolates(Lineage(program));
  EXPECT_EQ(line, "curl (1234) ← bash (1232) ← sshd (1231) ← x (0) ← x (0) ← … ← x (0)");
}

TEST(WordingTest, ShowsAProgramThatHidesItsNames) {
  v1::Program program = Curl();
  program.set_path("");
  program.mutable_parents(0)->set_name("\u202Ehsab");
  EXPECT_EQ(FactsOf(program)[0].value, "unknown (unreadable)");
  EXPECT_EQ(WithoutIsolates(Lineage(program)), "? (1234) ← \\u{202e}hsab (1232) ← sshd (1231)");
}

TEST(WordingTest, NamesOnlyWhatIsKnown) {
  v1::Program program = Curl();
  EXPECT_THAT(FactsOf(program),
              ElementsAre(Field(&Fact::name, "Program"), Field(&Fact::name, "Process"),
                          Field(&Fact::name, "User ID")));
  program.set_unit("sync.service");
  program.set_sandbox("flatpak org.example.App");
  EXPECT_THAT(
      FactsOf(program),
      ElementsAre(Field(&Fact::value, "/usr/bin/curl"), Field(&Fact::name, "Process"),
                  Field(&Fact::value, "sync.service"),
                  Field(&Fact::value, "flatpak org.example.App"), Field(&Fact::value, "1000")));
}

TEST(WordingTest, SaysWhoseWordTheOriginIs) {
  v1::Show show;
  EXPECT_THAT(OriginNote(show), HasSubstr("can’t check"));
  show.set_origin_trusted(true);
  EXPECT_THAT(OriginNote(show), HasSubstr("A rule trusts"));
}

TEST(WordingTest, NeverCutsAnOriginThatCanExist) {
  v1::Show show;
  show.set_origin("https://" + std::string(253, 'a') + ":65535");
  EXPECT_EQ(Origin(show), show.origin());
}

TEST(WordingTest, DescribesACertificate) {
  v1::Choice choice;
  choice.set_subject("CN=Alice");
  choice.set_issuer("CN=Example CA");
  choice.set_not_after("2027-03-01T12:00:00Z");
  choice.set_key_place("smartcard \"alice\"");
  choice.set_hardware(true);
  EXPECT_EQ(Subject(choice), "CN=Alice");
  EXPECT_THAT(FactsOf(choice),
              ElementsAre(Field(&Fact::value, "CN=Example CA"), Field(&Fact::value, "2027-03-01"),
                          Field(&Fact::value, "smartcard \"alice\"")));
  choice.set_hardware(false);
  choice.set_key_place("a file");
  EXPECT_EQ(FactsOf(choice)[2].value, "a file, not protected by hardware");
  choice.set_hardware(true);
  choice.set_key_place("smartcard \"alice\"");
  choice.set_touch(true);
  EXPECT_EQ(FactsOf(choice)[2].value, "smartcard \"alice\", waits for your touch once you approve");
}

TEST(WordingTest, CutsALongSubjectAndKeepsTheWholeAtHand) {
  v1::Choice choice;
  choice.set_issuer("CN=" + std::string(400, 'x') + ", O=End");
  const Fact issuer = FactsOf(choice)[0];
  EXPECT_LT(issuer.value.size(), 110u);
  EXPECT_THAT(issuer.value, HasSubstr("O=End"));
  EXPECT_EQ(issuer.whole, choice.issuer());
}

TEST(WordingTest, CountsTries) {
  v1::Pin pin;
  EXPECT_EQ(TriesLeft(pin), "");
  pin.set_entry(v1::PIN_ENTRY_HERE);
  pin.set_tries(v1::PIN_TRIES_ALL);
  EXPECT_EQ(TriesLeft(pin), "");
  pin.set_tries_left(3);
  EXPECT_EQ(TriesLeft(pin), "3 tries left");
  pin.set_tries(v1::PIN_TRIES_FEW);
  pin.set_tries_left(0);
  EXPECT_THAT(TriesLeft(pin), HasSubstr("few tries"));
  pin.set_tries(v1::PIN_TRIES_LAST);
  EXPECT_EQ(TriesLeft(pin), "The last try");
}

TEST(WordingTest, CountsTimeUpToTheSecond) {
  EXPECT_EQ(TimeLeft(std::chrono::milliseconds(60'000)), "1:00 left");
  EXPECT_EQ(TimeLeft(std::chrono::milliseconds(4'001)), "0:05 left");
  EXPECT_EQ(TimeLeft(std::chrono::milliseconds(0)), "0:00 left");
}

}  // namespace
}  // namespace signet::prompter
