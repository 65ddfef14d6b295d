// When a rule says ask: who asks a person, and what comes back.
#ifndef SIGNET_AGENT_CONSENT_CONSENT_H_
#define SIGNET_AGENT_CONSENT_CONSENT_H_

#include <asio/awaitable.hpp>
#include <string>

#include "agent/identity/identity.h"
#include "agent/identity/key_source.h"
#include "agent/policy/caller.h"
#include "agent/policy/origin.h"

namespace signet::agent {

struct Answer {
  bool agreed = false;
  std::string reason;  // when not agreed, for a person
};

class Prompter {
 public:
  virtual ~Prompter() = default;
  // The arguments outlive the call.
  virtual asio::awaitable<Answer> Ask(const Caller& caller, const Origin& origin,
                                      const Identity& identity, Deadline deadline) = 0;
};

// Until prompts exist: declines at once and says so.
class NoPrompter : public Prompter {
 public:
  asio::awaitable<Answer> Ask(const Caller& caller, const Origin& origin, const Identity& identity,
                              Deadline deadline) override;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_CONSENT_CONSENT_H_
