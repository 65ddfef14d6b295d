// When a person is needed: who asks one, what is asked, and what comes back.
#ifndef SIGNET_AGENT_CONSENT_CONSENT_H_
#define SIGNET_AGENT_CONSENT_CONSENT_H_

#include <asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/identity/identity.h"
#include "agent/identity/key_source.h"
#include "agent/policy/caller.h"
#include "agent/policy/origin.h"
#include "agent/policy/rule.h"

namespace signet::agent {

// One identity that a person may choose, and why that takes a person.
struct Choice {
  Identity identity;
  bool asks = false;       // a rule asks
  bool wants_pin = false;  // its token is locked
  OncePer once_per{};      // for how long a yes to the rule's question holds
};

// A value: everything that a person is to know before an answer.
struct Prompt {
  Caller caller;
  Origin origin;
  bool origin_trusted = false;  // a rule trusts the program to name it; else it is its claim
  std::vector<Choice> choices;  // at least one; the best first
  Deadline deadline;
};

struct Answer {
  enum class Kind : uint8_t {
    kChosen,   // and, where the token was locked, it is unlocked
    kLeft,     // the person said no
    kNobody,   // nobody can be asked; `reason` says why and what to do
    kTooLate,  // nobody answered before the deadline
    kTooMany,  // too much is asked at once, or was refused just now
  };

  Kind kind = Kind::kNobody;
  size_t choice = 0;     // of kChosen
  std::string reason{};  // of the others, for a person

  static Answer Chosen(size_t choice) { return {Kind::kChosen, choice}; }
  static Answer Not(Kind kind, std::string reason) { return {kind, 0, std::move(reason)}; }
};

// The choice that takes no person any more, if there is one by now. Empty: that can't happen.
using Settled = std::function<std::optional<size_t>()>;

// Loop thread only; outlives every call.
class Prompter {
 public:
  virtual ~Prompter() = default;
  // Ends at the deadline at the latest. Cancelling the coroutine takes the question back. `settled`
  // is called, if at all, before the call ends.
  virtual asio::awaitable<Answer> Ask(Prompt prompt, Settled settled) = 0;
};

// Asks nobody, and says so at once.
class NoPrompter : public Prompter {
 public:
  asio::awaitable<Answer> Ask(Prompt prompt, Settled settled) override;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_CONSENT_CONSENT_H_
