// What a person has agreed to, for as long as the rule that asked said (once_per). In memory: an
// answer ends with the agent at the latest.
#ifndef SIGNET_AGENT_POLICY_REMEMBERED_ANSWERS_H_
#define SIGNET_AGENT_POLICY_REMEMBERED_ANSWERS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "agent/identity/identity.h"
#include "agent/policy/caller.h"
#include "agent/policy/origin.h"
#include "agent/policy/rule.h"
#include "ipc/wire/bytes.h"

namespace signet::agent {

// A value: what was asked, about whom and by whom.
struct Question {
  uid_t uid = 0;
  Executable program;
  LoginSession session;
  Origin origin;
  std::string identity;
  wire::Bytes public_key;  // the identity's: another key under its name is another question
  wire::Bytes connection;  // its handshake context
};

struct RememberedAnswer {
  uint64_t id = 0;  // to forget it by; never given twice
  Question question;
  OncePer once_per;
  std::chrono::system_clock::time_point given;
};

// Loop thread only.
class RememberedAnswers {
 public:
  using Time = std::chrono::system_clock::time_point;
  static constexpr size_t kMaxPerUid = 256;  // the oldest are forgotten first

  // Did the person agree, for as long as the rule that asks now still says? An answer counts only
  // for the scope that it was given for, and never for longer than its own hours.
  bool Agreed(const Question& question, const OncePer& once_per, Time now) const;

  // Nothing is kept of once per request, nor once per session without a session.
  void Remember(Question question, const OncePer& once_per, Time now);

  // Those that still count, oldest first; drops the others.
  std::vector<RememberedAnswer> List(Time now);

  // Was there one?
  bool Forget(uint64_t id);

 private:
  std::list<RememberedAnswer> answers_;  // oldest first
  uint64_t last_id_ = 0;
};

// Of the caller's program, when it is known; what is asked for a program that isn't is asked again.
std::optional<Question> MakeQuestion(const Caller& caller, const Origin& origin,
                                     const Identity& identity, wire::BytesView connection);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_POLICY_REMEMBERED_ANSWERS_H_
