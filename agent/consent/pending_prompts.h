// What waits for a person, for others to look at. Nothing secret.
#ifndef SIGNET_AGENT_CONSENT_PENDING_PROMPTS_H_
#define SIGNET_AGENT_CONSENT_PENDING_PROMPTS_H_

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace signet::agent {

struct PendingPrompt {
  uid_t uid = 0;        // who is asked
  pid_t pid = 0;        // of the first program that wants it
  std::string program;  // its path; empty = unknown
  std::string origin;
  std::chrono::system_clock::time_point since;
  bool shown = false;  // else it waits for its turn
};

// Loop thread only.
class PendingPrompts {
 public:
  virtual ~PendingPrompts() = default;

  // By uid, in their order.
  virtual std::vector<PendingPrompt> List() const = 0;
  // Called after each change; replaces what was set before. It must not ask.
  virtual void OnChange(std::function<void()> changed) = 0;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_CONSENT_PENDING_PROMPTS_H_
