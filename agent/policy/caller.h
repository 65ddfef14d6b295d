// Who asks, by the kernel's word. Filled by agent/front; the core trusts nothing else.
#ifndef SIGNET_AGENT_POLICY_CALLER_H_
#define SIGNET_AGENT_POLICY_CALLER_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signet::agent {

// The file that the caller's process runs; unknown when /proc/PID/exe can't be read.
struct Executable {
  dev_t device = 0;
  ino_t inode = 0;
  std::string path;  // for people; a rule matches by device and inode

  friend bool operator==(const Executable&, const Executable&) = default;
};

// The login session that logind records for the process.
struct LoginSession {
  enum class Type : uint8_t { kNone, kLocal, kSsh };

  std::string id;  // "3", "c2"; "" = none
  Type type = Type::kNone;

  friend bool operator==(const LoginSession&, const LoginSession&) = default;
};

// For people only: each process gives itself its name.
struct ParentProcess {
  pid_t pid = 0;
  std::string name;  // printable

  friend bool operator==(const ParentProcess&, const ParentProcess&) = default;
};

struct Caller {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  uint64_t start_time = 0;  // clock ticks since boot, field 22 of /proc/PID/stat
  std::optional<Executable> executable;

  // Nothing of the following is there without systemd.
  std::string unit;            // of the system's manager, "backup.service"; only root gives it
  std::string user_unit;       // of the user's manager; the user's own word: may only narrow
  LoginSession login_session;  // may only narrow
  // "flatpak:org.x.Y", "snap:foo", "" = none; "unknown" when it could not be told. May only narrow.
  std::string sandbox;

  // For people only, and only once one is to be asked.
  std::vector<ParentProcess> parents;  // the nearest first
  std::string command_line;            // as the process has it; printable
};

// "curl (1234) ← bash ← sshd", printable.
std::string ProgramChain(const Caller& caller);

// ASCII without control characters, at most 64 of them; what was not becomes '?'.
std::string PrintableName(std::string_view name);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_POLICY_CALLER_H_
