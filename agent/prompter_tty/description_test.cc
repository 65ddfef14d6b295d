#include "agent/prompter_tty/description.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/prompter_tty/example.h"
#include "agent/prompter_tty/lines.h"

namespace signet::prompter_tty {
namespace {

using prompt::v1::PIN_ENTRY_HERE;
using ::testing::HasSubstr;
using ::testing::Not;

const View kView{72, std::chrono::seconds(58)};

TEST(Description, SaysWhoAsksForWhatAndWhereTheKeyLives) {
  prompt::v1::Show show = ExampleShow();
  show.set_remember("8 hours");
  show.mutable_program()->set_unit("app-shop.scope");
  AddChoice(show, "alice", PIN_ENTRY_HERE);
  EXPECT_EQ(DescribeChoice(show, show.choices(0), show.choices(0).pin(), "Type it.", kView),
            "Signet: a site asks who you are.\n"
            "Site: https://shop.example:8443\n"
            "(so the program says; nobody has checked it)\n"
            "Program: /usr/bin/curl (process 4711, user 1000)\n"
            "Started by: bash, of sshd\n"
            "Runs in: app-shop.scope\n"
            "Certificate: CN=alice\n"
            "Issued by: CN=Example CA, until 2027-01-31\n"
            "Key in: smartcard \"alice\"\n"
            "PIN: 3 tries left\n"
            "A yes holds for 8 hours. Answer within 58 seconds.\n"
            "Type it.");
}

TEST(Description, TellsAProgramsClaimFromATrustedOrigin) {
  prompt::v1::Show show = ExampleShow();
  AddChoice(show, "alice", PIN_ENTRY_HERE);
  const auto describe = [&] {
    return DescribeChoice(show, show.choices(0), show.choices(0).pin(), "", kView);
  };
  EXPECT_THAT(describe(), HasSubstr("nobody has checked it"));
  show.set_origin_trusted(true);
  EXPECT_THAT(describe(), HasSubstr("a rule trusts this program to name the site"));
  EXPECT_THAT(describe(), Not(HasSubstr("nobody has checked it")));
}

TEST(Description, ShowsLettersOfOtherScriptsInAnOrigin) {
  prompt::v1::Show show = ExampleShow();
  show.set_origin("https://b\u0430nk.example");
  AddChoice(show, "alice", PIN_ENTRY_HERE);
  EXPECT_THAT(DescribeChoice(show, show.choices(0), show.choices(0).pin(), "", kView),
              HasSubstr("\nSite: https://b\\u{430}nk.example\n"));
}

TEST(Description, SaysWhatIsLeftOfThePin) {
  struct Case {
    prompt::v1::PinTries tries;
    uint32_t left;
    const char* text;
  };
  prompt::v1::Show show = ExampleShow();
  AddChoice(show, "alice", PIN_ENTRY_HERE);
  for (const Case& c : {
           Case{prompt::v1::PIN_TRIES_ALL, 3, "3 tries left"},
           Case{prompt::v1::PIN_TRIES_FEW, 0, "wrong ones were typed before"},
           Case{prompt::v1::PIN_TRIES_LAST, 1, "THIS IS THE LAST TRY"},
           Case{prompt::v1::PIN_TRIES_BLOCKED, 0, "blocked"},
       }) {
    prompt::v1::Pin pin;
    pin.set_tries(c.tries);
    pin.set_tries_left(c.left);
    EXPECT_THAT(DescribeChoice(show, show.choices(0), pin, "", kView), HasSubstr(c.text));
  }
}

TEST(Description, SaysThatOnlyThePinIsWantedAndWhatCanBeCopied) {
  prompt::v1::Show show = ExampleShow();
  show.set_consent(false);
  AddChoice(show, "alice", PIN_ENTRY_HERE);
  show.mutable_choices(0)->set_hardware(false);
  const std::string text = DescribeChoice(show, show.choices(0), show.choices(0).pin(), "",
                                          {72, std::chrono::minutes(3)});
  EXPECT_THAT(text, HasSubstr("only the PIN is needed. Answer within 3 minutes."));
  EXPECT_THAT(text, HasSubstr("can be copied"));
}

TEST(Description, SaysThatTheTokenWillWaitForATouch) {
  prompt::v1::Show show = ExampleShow();
  AddChoice(show, "alice", PIN_ENTRY_HERE);
  show.mutable_choices(0)->set_touch(true);
  EXPECT_THAT(DescribeChoice(show, show.choices(0), show.choices(0).pin(), "", kView),
              HasSubstr("Key in: smartcard \"alice\"; it will wait for your touch\n"));
}

// What strangers say may be of any length and kind.
prompt::v1::Show HostileShow(size_t choices, const std::string& text) {
  prompt::v1::Show show = ExampleShow();
  show.set_origin(absl::StrCat("https://", text));
  show.set_remember(text);
  show.mutable_program()->set_path(text);
  show.mutable_program()->set_unit(text);
  show.mutable_program()->set_sandbox(text);
  show.mutable_program()->set_pid(~0U);
  show.mutable_program()->set_uid(~0U);
  show.mutable_program()->mutable_parents(0)->set_name(text);
  for (size_t i = 0; i < choices; ++i) {
    AddChoice(show, text, PIN_ENTRY_HERE);
    show.mutable_choices(static_cast<int>(i))->set_issuer(text);
    show.mutable_choices(static_cast<int>(i))->set_not_after(text);
    show.mutable_choices(static_cast<int>(i))->set_kind("device");
    show.mutable_choices(static_cast<int>(i))->set_touch(true);
  }
  return show;
}

TEST(Description, FitsAssuanAndAScreenWhateverStrangersSay) {
  const std::string instruction(130, 'i');
  for (const char* piece : {"x", "%", "\x1b[2J\n", "日本", "\xff", "e\xcc\x81"}) {
    std::string text;
    for (int i = 0; i < 500; ++i) text += piece;
    const prompt::v1::Show show = HostileShow(9, text);
    int end = 0;
    for (const std::string& description :
         {DescribeChoice(show, show.choices(0), show.choices(0).pin(), instruction, kView),
          DescribeList(show, 0, end, kView), DescribeMessage(show, text, kView)}) {
      EXPECT_LE(Cost(description), kMaxDescription) << piece;
      EXPECT_LE(std::count(description.begin(), description.end(), '\n'), 14);
      EXPECT_THAT(description, Not(HasSubstr("\x1b")));
      for (const absl::string_view line : absl::StrSplit(description, '\n')) {
        EXPECT_EQ(line.find_first_of("\r\t"), absl::string_view::npos);
      }
    }
    EXPECT_GT(end, 0);
    EXPECT_LE(Cost(DescribeError(text, kView)), 400u);
  }
}

TEST(Description, ListsCertificatesByNumberAndPageByPage) {
  prompt::v1::Show show = ExampleShow();
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) AddChoice(show, name, PIN_ENTRY_HERE);
  show.mutable_choices(1)->mutable_pin()->set_tries(prompt::v1::PIN_TRIES_BLOCKED);
  int end = 0;
  const std::string first = DescribeList(show, 0, end, kView);
  EXPECT_EQ(end, 4);
  EXPECT_THAT(first,
              HasSubstr("1: CN=a\n- of: CN=Example CA, until 2027-01-31, in smartcard \"a\"\n"
                        "2: CN=b\n- of: CN=Example CA, until 2027-01-31, in smartcard \"b\", "
                        "BLOCKED\n"));
  EXPECT_THAT(first, HasSubstr("or more for others"));
  const std::string second = DescribeList(show, end, end, kView);
  EXPECT_EQ(end, 6);
  EXPECT_THAT(second, HasSubstr("\n5: CN=e\n"));
  EXPECT_THAT(second, Not(HasSubstr("4: CN=d")));
}

}  // namespace
}  // namespace signet::prompter_tty
