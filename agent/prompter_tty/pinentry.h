// Debian's pinentry on a terminal, spoken to with libassuan.
//
// Source: the Assuan manual, and the pinentry manual's "Protocol" chapter.
#ifndef SIGNET_AGENT_PROMPTER_TTY_PINENTRY_H_
#define SIGNET_AGENT_PROMPTER_TTY_PINENTRY_H_

#include <assuan.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/prompter_tty/question.h"
#include "agent/prompter_tty/terminal.h"

namespace signet::prompter_tty {

// Percent-escapes what would end an Assuan line.
std::string AssuanEscape(absl::string_view text);

struct PinentryProgram {
  const char* path;
  bool full_screen;  // curses
};

// In order of preference. Never from PATH: who starts the agent must not choose who asks for PINs.
constexpr PinentryProgram kPinentryPrograms[] = {{"/usr/bin/pinentry-curses", true},
                                                 {"/usr/bin/pinentry-tty", false}};

// One question at a time, each with a process of its own, which dies with this one. A program that
// can't ask (the window is too small, the terminal unknown) is followed by the next of the list.
// One thread.
class Pinentry {
 public:
  // The terminal outlives it.
  Pinentry(Terminal& terminal, std::vector<PinentryProgram> programs);
  ~Pinentry() { Stop(); }
  Pinentry(const Pinentry&) = delete;
  Pinentry& operator=(const Pinentry&) = delete;

  // Shows it. kUnavailable when no program can; the message says what to do.
  absl::Status Ask(const Question& question);
  // Readable when Read has something to do; -1 when nothing is shown.
  int descriptor() const;
  // Nothing when the answer is not there yet. Errors as Ask's.
  absl::StatusOr<std::optional<Answer>> Read();
  // Ends a question that is shown: the program is killed and the terminal as it was.
  void Stop();
  bool asking() const { return asking_; }

 private:
  struct Release {
    void operator()(assuan_context_t context) const { assuan_release(context); }
  };

  absl::Status Start();
  absl::Status Show();
  absl::Status AskFromHere();
  absl::Status Tell(const std::string& line);
  absl::StatusOr<std::optional<Answer>> ReadLine();
  void Collect(char* data, size_t size);
  Answer TakeAnswer();
  const PinentryProgram& program() const { return programs_[at_]; }

  Terminal& terminal_;
  const std::vector<PinentryProgram> programs_;
  size_t at_ = 0;
  std::unique_ptr<assuan_context_s, Release> context_;
  bool asking_ = false;
  Question question_;
  wire::Secret typed_;
  size_t typed_size_ = 0;
  std::string failures_;  // why programs could not ask
};

}  // namespace signet::prompter_tty

#endif  // SIGNET_AGENT_PROMPTER_TTY_PINENTRY_H_
