#include "agent/prompter_tty/description.h"

#include "absl/strings/str_cat.h"
#include "agent/printable/printable.h"
#include "agent/prompter_tty/lines.h"

namespace signet::prompter_tty {
namespace {

using prompt::v1::Choice;
using prompt::v1::Pin;
using prompt::v1::Show;

constexpr size_t kDateSize = 10;           // 2027-01-31
constexpr int kMostOnAPage = 4;            // two lines each; a screen has 24
constexpr size_t kMostInOneMessage = 300;  // of the agent's words
constexpr size_t kMostInOneError = 150;    // two lines

std::string Until(const Choice& choice) {
  return choice.not_after().empty()
             ? ""
             : absl::StrCat(", until ", Shorten(choice.not_after().substr(0, kDateSize), kDateSize,
                                                Keep::kBeginning));
}

void AddSite(Lines& lines, const Show& show) {
  // The end of a host's name says whose it is.
  lines.Add("Site", PrintableAscii(show.origin()), Keep::kEnd);
  lines.Say(show.origin_trusted() ? "(a rule trusts this program to name the site)"
                                  : "(so the program says; nobody has checked it)");
}

void AddProgram(Lines& lines, const Show& show) {
  const prompt::v1::Program& program = show.program();
  const std::string process =
      absl::StrCat(" (process ", program.pid(), ", user ", program.uid(), ")");
  lines.Add(
      "Program",
      absl::StrCat(program.path().empty() ? "unknown, it can't be read" : program.path(), process));
  std::string parents;
  for (const prompt::v1::Process& parent : program.parents()) {
    absl::StrAppend(&parents, parents.empty() ? "" : ", of ", parent.name());
  }
  lines.Add("Started by", parents, Keep::kBeginning);
  if (!program.sandbox().empty() || !program.unit().empty()) {
    const bool both = !program.sandbox().empty() && !program.unit().empty();
    lines.Add("Runs in", absl::StrCat(program.sandbox(), both ? ", " : "", program.unit()));
  }
}

void AddPin(Lines& lines, const Pin& pin) {
  switch (pin.tries()) {
    case prompt::v1::PIN_TRIES_BLOCKED:
      return lines.Say("PIN: blocked, too many wrong ones were typed");
    case prompt::v1::PIN_TRIES_LAST:
      return lines.Say("PIN: THIS IS THE LAST TRY, a wrong PIN blocks the token");
    case prompt::v1::PIN_TRIES_FEW:
    case prompt::v1::PIN_TRIES_ALL:
      if (pin.tries_left() > 0) {
        return lines.Say(absl::StrCat("PIN: ", pin.tries_left(),
                                      pin.tries_left() == 1 ? " try left" : " tries left"));
      }
      if (pin.tries() == prompt::v1::PIN_TRIES_FEW) lines.Say("PIN: wrong ones were typed before");
      return;
    default:
      return;
  }
}

std::string TimeToAnswer(std::chrono::seconds time) {
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(time);
  return minutes.count() >= 2 ? absl::StrCat("Answer within ", minutes.count(), " minutes.")
                              : absl::StrCat("Answer within ", time.count(), " seconds.");
}

void AddTerms(Lines& lines, const Show& show, const View& view) {
  constexpr size_t kMost = 40;
  std::string terms = "Rules allow this; only the PIN is needed.";
  if (show.consent()) {
    terms = show.remember().empty()
                ? "A yes holds for this request."
                : absl::StrCat("A yes holds for ",
                               Shorten(show.remember(), kMost, Keep::kBeginning), ".");
  }
  lines.Say(absl::StrCat(terms, " ", TimeToAnswer(view.time)));
}

Lines Begin(const Show& show, absl::string_view first, const View& view) {
  Lines lines(view.columns);
  lines.Say(first);
  AddSite(lines, show);
  AddProgram(lines, show);
  return lines;
}

}  // namespace

std::string DescribeChoice(const Show& show, const Choice& choice, const Pin& pin,
                           absl::string_view instruction, const View& view) {
  Lines lines = Begin(show, "Signet: a site asks who you are.", view);
  lines.Add(choice.kind() == "device" ? "Certificate of this device" : "Certificate",
            choice.subject().empty() ? choice.identity() : choice.subject());
  lines.Add("Issued by", absl::StrCat(choice.issuer(), Until(choice)));
  lines.Add("Key in", absl::StrCat(choice.key_place(), choice.hardware() ? "" : ", can be copied",
                                   choice.touch() ? "; it will wait for your touch" : ""));
  AddPin(lines, pin);
  AddTerms(lines, show, view);
  lines.Say(instruction);
  return lines.text();
}

std::string DescribeList(const Show& show, int first, int& end, const View& view) {
  const int count = show.choices_size();
  const Lines head = Begin(show, "Signet: a site asks who you are. Your certificates:", view);
  const auto tail = [&](bool more) {
    Lines lines(view.columns);
    AddTerms(lines, show, view);
    lines.Say(absl::StrCat("Type the number of the one to use", more ? ", or more for others" : "",
                           " (it shows as *). Nothing typed declines."));
    return lines.text();
  };
  const size_t tail_cost = Cost(tail(true));
  std::string text = head.text();
  end = first;
  while (end < count && end - first < kMostOnAPage) {
    const Choice& choice = show.choices(end);
    Lines lines(view.columns);
    lines.Add(absl::StrCat(end + 1),
              choice.subject().empty() ? choice.identity() : choice.subject());
    // The place of the key tells alike certificates apart better than a long issuer.
    lines.Add(
        choice.kind() == "device" ? "- of this device" : "- of",
        absl::StrCat(choice.issuer(), Until(choice), ", in ", choice.key_place(),
                     choice.pin().tries() == prompt::v1::PIN_TRIES_BLOCKED ? ", BLOCKED" : ""));
    const size_t cost = Cost(text) + Cost(lines.text()) + tail_cost + 2 * Cost("\n");
    if (end > first && cost > kMaxDescription) break;
    absl::StrAppend(&text, "\n", lines.text());
    ++end;
  }
  return absl::StrCat(text, "\n", tail(first > 0 || end < count));
}

std::string DescribeMessage(const Show& show, absl::string_view message, const View& view) {
  Lines lines(view.columns);
  lines.Say(absl::StrCat("Signet: ", Shorten(message, kMostInOneMessage, Keep::kBeginning)));
  AddSite(lines, show);
  return lines.text();
}

std::string DescribeError(absl::string_view error, const View& view) {
  if (error.empty()) return "";
  Lines lines(view.columns);
  lines.Say(Shorten(error, kMostInOneError, Keep::kBeginning));
  return lines.text();
}

}  // namespace signet::prompter_tty
