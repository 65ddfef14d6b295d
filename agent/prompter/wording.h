// What a question says, in words: plain text for labels, made from messages whose strings may hold
// anything. Pure functions; any thread.
#ifndef SIGNET_AGENT_PROMPTER_WORDING_H_
#define SIGNET_AGENT_PROMPTER_WORDING_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "ipc/prompt.pb.h"

namespace signet::prompter {

namespace v1 = ::signet::prompt::v1;

struct Fact {
  std::string name;
  std::string value;  // as much as there is room for
  std::string whole;  // for whoever asks for more; differs only when `value` was cut
};

// "Prove who you are to", above the origin.
std::string Question(const v1::Show& show);
std::string Origin(const v1::Show& show);
// Whose word the origin is.
std::string OriginNote(const v1::Show& show);

// Program, its parents, user, unit, sandbox: those that are known.
std::vector<Fact> FactsOf(const v1::Program& program);
// "curl (1234) ← bash (1200) ← sshd (1100)"; the nearest first, the middle of a long chain left
// out.
std::string Lineage(const v1::Program& program);

std::string Subject(const v1::Choice& choice);
// Issuer, validity, key: those that are known.
std::vector<Fact> FactsOf(const v1::Choice& choice);
// Why it can't be chosen; empty when it can.
std::string WhyNot(const v1::Choice& choice);

// " for smartcard "alice"", behind "PIN".
std::string PinFor(const v1::Choice& choice);
// Tries left; empty when nothing is known.
std::string TriesLeft(const v1::Pin& pin);
// Where the PIN will be wanted, when that is not here; empty otherwise.
std::string PinNote(const v1::Pin& pin);

// What the approving button says.
std::string Yes(const v1::Show& show);
// For how long a yes holds.
std::string Holds(const v1::Show& show);
// What the agent says in a Refuse or Wait.
std::string News(const std::string& message);
// "0:42 left".
std::string TimeLeft(std::chrono::steady_clock::duration left);

}  // namespace signet::prompter

#endif  // SIGNET_AGENT_PROMPTER_WORDING_H_
