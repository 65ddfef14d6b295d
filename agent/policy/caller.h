// Who asks, by the kernel's word. Filled by agent/front; the core trusts nothing else.
#ifndef SIGNET_AGENT_POLICY_CALLER_H_
#define SIGNET_AGENT_POLICY_CALLER_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace signet::agent {

// The file that the caller's process runs; unknown when /proc/PID/exe can't be read.
struct Executable {
  dev_t device = 0;
  ino_t inode = 0;
  std::string path;  // for people; a rule matches by device and inode

  friend bool operator==(const Executable&, const Executable&) = default;
};

struct Caller {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  uint64_t start_time = 0;  // clock ticks since boot, field 22 of /proc/PID/stat
  std::optional<Executable> executable;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_POLICY_CALLER_H_
