// What the agent denies itself, and others, before it reads anything.
#ifndef SIGNET_AGENT_HARDENING_H_
#define SIGNET_AGENT_HARDENING_H_

#include <cstddef>

#include "absl/status/status.h"

namespace signet::agent {

// Nobody may trace the process, read its memory or get a core of it (not even its own uid); files
// it makes are its owner's alone; a peer that went away is an error code, not a signal; as many
// descriptors as it may have. First thing in main, before any thread. From here on the files under
// /proc/self belong to root.
absl::Status HardenProcess();

// How many descriptors the process may have open.
size_t MaxDescriptors();

}  // namespace signet::agent

#endif  // SIGNET_AGENT_HARDENING_H_
