// [bus] and [lock] of signet.toml: what the agent has to do with D-Bus.
#ifndef SIGNET_AGENT_POLICY_BUS_CONFIGURATION_H_
#define SIGNET_AGENT_POLICY_BUS_CONFIGURATION_H_

#include <optional>

#include "agent/policy/rule.h"

namespace signet::agent {

// What makes the agent forget PINs, as logind tells it.
struct LockCauses {
  bool screen = false;  // a session of the agent's user is locked
  bool sleep = false;   // the machine is about to sleep
  bool logout = false;  // the last session of the agent's user has ended

  bool any() const { return screen || sleep || logout; }
  friend bool operator==(const LockCauses&, const LockCauses&) = default;
};

struct BusConfiguration {
  bool enabled = true;
  // Whose agent it is: a person's on the session bus, or the system's on the system bus. Nothing:
  // by the uid it runs as.
  std::optional<AgentKind> kind;
  // Nothing: a person's agent locks for all of them, the system's for none.
  std::optional<LockCauses> lock_on;

  AgentKind agent() const { return kind.value_or(KindOfThisAgent()); }
  LockCauses causes() const;
  friend bool operator==(const BusConfiguration&, const BusConfiguration&) = default;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_POLICY_BUS_CONFIGURATION_H_
