// A person who says no again and again to the same program is left alone for a while.
#ifndef SIGNET_AGENT_CONSENT_REFUSALS_H_
#define SIGNET_AGENT_CONSENT_REFUSALS_H_

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <tuple>

#include "agent/policy/caller.h"

namespace signet::agent {

// Loop thread only.
class Refusals {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr size_t kMost = 3;                  // of one program's prompts
  static constexpr std::chrono::minutes kWithin{1};   // so close together
  static constexpr std::chrono::minutes kSilence{1};  // after the last of them
  static constexpr size_t kMaxPrograms = 1024;        // remembered; others are forgotten

  void Add(const Caller& caller, Time now);
  // Was it refused too often just now?
  bool Silences(const Caller& caller, Time now);

 private:
  // All programs that are not known count as one.
  using Program = std::tuple<uid_t, dev_t, ino_t>;
  static Program ProgramOf(const Caller& caller);
  void Prune(Time now);

  std::map<Program, std::deque<Time>> refused_;  // oldest first
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_CONSENT_REFUSALS_H_
