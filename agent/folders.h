// The folders the agent works in: the state folder (keys, certificates, rules) and the runtime
// folder (sockets). One that others could have prepared or can change is refused.
#ifndef SIGNET_AGENT_FOLDERS_H_
#define SIGNET_AGENT_FOLDERS_H_

#include <sys/types.h>

#include <filesystem>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ipc/transport/descriptor.h"

namespace signet::agent {

// Makes the folder, and those above it, with `mode` if it is not there; adds bits of `mode` that
// are missing. kFailedPrecondition when it belongs to another uid, or its group or others may write
// to it.
absl::Status PrepareFolder(const std::filesystem::path& folder, mode_t mode);

// Keeps every other agent out of the folder for as long as the descriptor is open.
// kFailedPrecondition when another agent has it.
absl::StatusOr<ipc::Descriptor> LockFolder(const std::filesystem::path& folder);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_FOLDERS_H_
