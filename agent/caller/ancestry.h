// From whom a process comes: `curl (1234) ← bash ← sshd`. For people; nothing is decided by it.
#ifndef SIGNET_AGENT_CALLER_ANCESTRY_H_
#define SIGNET_AGENT_CALLER_ANCESTRY_H_

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "agent/policy/caller.h"

namespace signet::agent {

inline constexpr size_t kMaxParents = 8;

// The nearest first, as far as the system's first process, which is left out. One that started
// after its child is another that got the number since: there it ends.
std::vector<ParentProcess> ParentsOf(pid_t pid, uint64_t start_time);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_CALLER_ANCESTRY_H_
