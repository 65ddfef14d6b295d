// signetd's command line.
#ifndef SIGNET_AGENT_OPTIONS_H_
#define SIGNET_AGENT_OPTIONS_H_

#include <filesystem>
#include <variant>
#include <vector>

namespace signet::agent {

struct Options {
  std::filesystem::path config;
  std::vector<std::filesystem::path> policy_folders;  // in order
  std::filesystem::path runtime_dir;
  std::filesystem::path state_dir;
};

// What to do, or the exit code when that is all: help and version were printed (0), or a usage
// error was (kExitUsage). Defaults come from the environment and the uid; paths are made absolute.
std::variant<Options, int> ParseOptions(int argc, const char* const* argv);

inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitConfiguration = 78;  // EX_CONFIG of sysexits.h

}  // namespace signet::agent

#endif  // SIGNET_AGENT_OPTIONS_H_
