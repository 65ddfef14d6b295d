// What a person reads before an answer. Pure; the clock is the caller's.
#ifndef SIGNET_AGENT_PROMPTER_TTY_DESCRIPTION_H_
#define SIGNET_AGENT_PROMPTER_TTY_DESCRIPTION_H_

#include <chrono>
#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "ipc/prompt.pb.h"

namespace signet::prompter_tty {

// How the person's terminal and time are.
struct View {
  size_t columns = 72;  // that a line may take
  std::chrono::seconds time{0};
};

// One certificate with all that is known of it; `pin` is how things stand now. `instruction` comes
// last.
std::string DescribeChoice(const prompt::v1::Show& show, const prompt::v1::Choice& choice,
                           const prompt::v1::Pin& pin, absl::string_view instruction,
                           const View& view);

// A page of a list of certificates, numbered from 1: those from `first` (an index) on that fit;
// `end` becomes the index behind the last one.
std::string DescribeList(const prompt::v1::Show& show, int first, int& end, const View& view);

// The agent's own words, and whose request they are about.
std::string DescribeMessage(const prompt::v1::Show& show, absl::string_view message,
                            const View& view);

// An error text, wrapped to what fits into a question.
std::string DescribeError(absl::string_view error, const View& view);

}  // namespace signet::prompter_tty

#endif  // SIGNET_AGENT_PROMPTER_TTY_DESCRIPTION_H_
