// Is a configuration understood? Offline: no agent is asked. For `signet policy check`.
#ifndef SIGNET_AGENT_POLICY_CHECK_H_
#define SIGNET_AGENT_POLICY_CHECK_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace signet::agent {

// Where an agent finds its configuration and its state.
struct Places {
  std::filesystem::path config;
  std::vector<std::filesystem::path> policy_folders;  // in order
  std::filesystem::path state_dir;
};
// Those of this uid's agent: root's is the system's; everybody else's keeps to the XDG base
// directories.
Places DefaultPlaces();

struct Problem {
  std::filesystem::path file;
  uint32_t line = 0;  // 0: about the file as a whole
  uint32_t column = 0;
  std::string message;
};

struct CheckResult {
  std::vector<std::filesystem::path> files;  // that were read, in order
  size_t rules = 0;
  std::vector<Problem> problems;  // the first of each file; none = an agent would start with this
};

// All that an agent of these places reads. Blocks on the file system, as below.
CheckResult CheckPlaces(const Places& places);
// This file alone: as one of a policy folder when it is in a folder named policy.d, else as
// signet.toml or one of its drop-ins.
CheckResult CheckFile(const std::filesystem::path& file);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_POLICY_CHECK_H_
