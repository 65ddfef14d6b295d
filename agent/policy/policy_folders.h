// Folders of rules and limits that come before an agent's own configuration: the vendor's, then the
// administrator's. Unlike the configuration they hold for every agent of the machine.
#ifndef SIGNET_AGENT_POLICY_POLICY_FOLDERS_H_
#define SIGNET_AGENT_POLICY_POLICY_FOLDERS_H_

#include <filesystem>
#include <vector>

#include "absl/status/statusor.h"

namespace signet::agent {

// /usr/share/signet/policy.d and /etc/signet/policy.d.
std::vector<std::filesystem::path> DefaultPolicyFolders();

// *.toml in the folder, by name; hidden ones are an editor's. A missing folder holds none.
absl::StatusOr<std::vector<std::filesystem::path>> TomlFilesIn(const std::filesystem::path& folder);

// Those of all folders, one folder after the other. A file takes the place of one of the same name
// in an earlier folder; an empty one thus does away with it.
absl::StatusOr<std::vector<std::filesystem::path>> PolicyFiles(
    const std::vector<std::filesystem::path>& folders);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_POLICY_POLICY_FOLDERS_H_
