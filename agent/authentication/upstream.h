// Another agent, whose identities this one's callers may have as well: the system agent and its
// device identities (docs/two-agents.md).
#ifndef SIGNET_AGENT_AUTHENTICATION_UPSTREAM_H_
#define SIGNET_AGENT_AUTHENTICATION_UPSTREAM_H_

#include <asio/awaitable.hpp>

#include "agent/authentication/authentication.h"
#include "agent/identity/identity.h"

namespace signet::agent {

// Loop thread only.
class Upstream {
 public:
  virtual ~Upstream() = default;

  // Forwards the whole call to the agent that has the identity, which decides by its own rules and
  // sees this agent as who asks. Its answer, unchecked, or its reason why not; kTokenFailed when
  // there is no answer, kDeadline when there is none in time. Never forwards a call that came from
  // another agent. Cancelling the coroutine cancels the call there. The arguments outlive the call.
  virtual asio::awaitable<Outcome> Authenticate(const AuthenticationCall& call,
                                                const KeyReference& identity) = 0;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_AUTHENTICATION_UPSTREAM_H_
