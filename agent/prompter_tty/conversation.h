// From what the agent wants to what a person says, as questions and answers: no terminal, no
// socket, no clock of its own.
//
// Nobody agrees by accident: a PIN, a number or the word "yes" has to be typed, and nothing typed
// declines.
#ifndef SIGNET_AGENT_PROMPTER_TTY_CONVERSATION_H_
#define SIGNET_AGENT_PROMPTER_TTY_CONVERSATION_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/string_view.h"
#include "agent/prompter_tty/description.h"
#include "agent/prompter_tty/question.h"
#include "ipc/prompt.pb.h"

namespace signet::prompter_tty {

// What is to be done next. After Choose it is the agent's turn.
struct Choose {
  uint32_t choice = 0;
  bool last_try = false;
  std::optional<wire::Secret> pin;  // when it is entered here
};
struct Leave {};
struct Fail {
  std::string message;
};
using Step = std::variant<Question, Choose, Leave, Fail>;

// One Show, from its first question to its end. One thread.
class Conversation {
 public:
  explicit Conversation(prompt::v1::Show show) : show_(std::move(show)) {}

  // The view is given anew each time, because time passes and windows are resized.

  Step Begin(const View& view);
  // To the Question that came last.
  Step Answered(Answer answer, const View& view);
  // The agent's messages after a Choose.
  Step Refused(const prompt::v1::Refuse& refuse, const View& view);
  Step Waits(const prompt::v1::Wait& wait, const View& view);

 private:
  enum class Stage { kList, kYes, kLastTry, kPin, kMessage };

  Step AskList(std::string error, const View& view);
  Step Enter(std::string error, const View& view);
  Step AskYes(std::string error, const View& view);
  Step AskLastTry(std::string error, const View& view);
  Step AskPin(std::string error, const View& view);
  Step Tell(std::string description, std::string button);
  Step Listed(absl::string_view typed, const View& view);
  Step Chosen(std::optional<wire::Secret> pin);
  Question Ask(absl::string_view instruction, std::string prompt, std::string error,
               const View& view);

  const prompt::v1::Choice& choice() const { return show_.choices(choice_); }
  prompt::v1::Pin& pin() { return *show_.mutable_choices(choice_)->mutable_pin(); }

  prompt::v1::Show show_;
  Stage stage_ = Stage::kList;
  int choice_ = 0;
  bool listed_ = false;  // the person picked it from a list, which is a yes
  bool last_try_ = false;
  int page_ = 0;      // index of the first certificate shown
  int page_end_ = 0;  // and behind the last
};

}  // namespace signet::prompter_tty

#endif  // SIGNET_AGENT_PROMPTER_TTY_CONVERSATION_H_
