#include "agent/prompter_tty/conversation.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace signet::prompter_tty {
namespace {

using prompt::v1::PIN_ENTRY_AT_READER;
using prompt::v1::PIN_ENTRY_HERE;
using prompt::v1::PIN_TRIES_BLOCKED;
using prompt::v1::PIN_TRIES_LAST;

constexpr size_t kMaxPinSize = 256;  // what signet-backend takes

constexpr char kLastTry[] = "last try";  // as in the window
constexpr char kBlocked[] = "The PIN of this token is blocked";

// A view into the secret, never a copy.
absl::string_view Text(const wire::Secret& typed) {
  const wire::BytesView bytes = typed.view();
  return absl::StripAsciiWhitespace(
      absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

bool Is(absl::string_view typed, absl::string_view word) {
  return absl::EqualsIgnoreCase(typed, word);
}

}  // namespace

Question Conversation::Ask(absl::string_view instruction, std::string prompt, std::string error,
                           const View& view) {
  return {DescribeChoice(show_, choice(), pin(), instruction, view),
          DescribeError(error, view),
          std::move(prompt),
          "Allow",
          "Decline",
          view.time};
}

Step Conversation::Tell(std::string description, std::string button) {
  stage_ = Stage::kMessage;
  return Question{std::move(description), "", "", std::move(button), "", {}};
}

Step Conversation::AskList(std::string error, const View& view) {
  stage_ = Stage::kList;
  std::string description = DescribeList(show_, page_, page_end_, view);
  return Question{
      std::move(description), DescribeError(error, view), "Number", "Use it", "Decline", view.time};
}

Step Conversation::AskYes(std::string error, const View& view) {
  stage_ = Stage::kYes;
  return Ask(pin().entry() == PIN_ENTRY_AT_READER
                 ? "Type yes to allow this (it shows as *); the PIN is then typed at the card "
                   "reader. Nothing typed declines."
                 : "Type yes to allow this (it shows as *). Nothing typed declines.",
             "yes?", std::move(error), view);
}

Step Conversation::AskLastTry(std::string error, const View& view) {
  stage_ = Stage::kLastTry;
  return Ask("Type the words last try to spend it (they show as *). Nothing typed declines.",
             "last try?", std::move(error), view);
}

Step Conversation::AskPin(std::string error, const View& view) {
  stage_ = Stage::kPin;
  return Ask("Typing the PIN allows this. Nothing typed declines, and no try is spent.", "PIN",
             std::move(error), view);
}

Step Conversation::Begin(const View& view) {
  if (show_.choices_size() == 0) return Fail{"prompt: the agent shows no certificate"};
  return show_.choices_size() == 1 ? Enter("", view) : AskList("", view);
}

Step Conversation::Enter(std::string error, const View& view) {
  last_try_ = false;
  const prompt::v1::Pin& now = pin();
  if (now.entry() != prompt::v1::PIN_ENTRY_NONE && now.tries() == PIN_TRIES_BLOCKED) {
    if (show_.choices_size() > 1) {
      return AskList(absl::StrCat(kBlocked, ": choose another certificate"), view);
    }
    return Tell(
        DescribeChoice(show_, choice(), now,
                       absl::StrCat(kBlocked, ": unblock it with its PUK and its own tool."), view),
        "Close");
  }
  if (now.entry() != prompt::v1::PIN_ENTRY_NONE && now.tries() == PIN_TRIES_LAST) {
    return AskLastTry(std::move(error), view);
  }
  if (now.entry() == PIN_ENTRY_HERE) return AskPin(std::move(error), view);
  if (listed_ && error.empty()) return Chosen(std::nullopt);
  return AskYes(std::move(error), view);
}

Step Conversation::Chosen(std::optional<wire::Secret> pin) {
  return Choose{static_cast<uint32_t>(choice_), last_try_, std::move(pin)};
}

Step Conversation::Listed(absl::string_view typed, const View& view) {
  if (Is(typed, "more")) {
    page_ = page_end_ < show_.choices_size() ? page_end_ : 0;
    return AskList("", view);
  }
  int number = 0;
  // Numbers of other pages are not shown now: a slip must not choose what can't be seen.
  if (!absl::SimpleAtoi(typed, &number) || number <= page_ || number > page_end_) {
    return AskList(absl::StrCat("Type a number from ", page_ + 1, " to ", page_end_), view);
  }
  choice_ = number - 1;
  listed_ = true;
  return Enter("", view);
}

Step Conversation::Answered(Answer answer, const View& view) {
  const absl::string_view typed = Text(answer.typed);
  if (answer.kind != Answer::Kind::kTyped || answer.typed.empty()) return Leave{};
  switch (stage_) {
    case Stage::kMessage:
      return Leave{};
    case Stage::kList:
      return Listed(typed, view);
    case Stage::kYes:
      if (Is(typed, "yes")) return Chosen(std::nullopt);
      if (Is(typed, "no")) return Leave{};
      return AskYes("That was not yes", view);
    case Stage::kLastTry:
      if (Is(typed, "no")) return Leave{};
      if (!Is(typed, kLastTry))
        return AskLastTry("Those were not the words; no try was spent", view);
      last_try_ = true;
      return pin().entry() == PIN_ENTRY_HERE ? AskPin("", view) : Chosen(std::nullopt);
    case Stage::kPin:
      if (answer.typed.size() > kMaxPinSize) {
        return AskPin(absl::StrCat("A PIN has at most ", kMaxPinSize, " bytes; no try was spent"),
                      view);
      }
      return Chosen(std::move(answer.typed));
  }
  return Leave{};
}

Step Conversation::Refused(const prompt::v1::Refuse& refuse, const View& view) {
  if (refuse.has_pin()) pin() = refuse.pin();
  return Enter(refuse.message().empty() ? "That did not work" : refuse.message(), view);
}

Step Conversation::Waits(const prompt::v1::Wait& wait, const View& view) {
  return Tell(DescribeMessage(show_, wait.message(), view), "Decline");
}

}  // namespace signet::prompter_tty
