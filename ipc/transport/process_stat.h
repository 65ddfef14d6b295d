// /proc/PID/stat, proc(5): what every user may know of every process.
#ifndef SIGNET_IPC_TRANSPORT_PROCESS_STAT_H_
#define SIGNET_IPC_TRANSPORT_PROCESS_STAT_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ipc/transport/descriptor.h"

namespace signet::ipc {

struct ProcessStat {
  std::string name;         // at most 15 bytes, of any value; the process chooses it
  pid_t parent = 0;         // 0: none that can be seen from here
  uint64_t start_time = 0;  // clock ticks since boot
};

// Nothing when there is no such process, or it may not be seen (hidepid). Never waits.
std::optional<ProcessStat> ReadProcessStat(pid_t pid);

// The line itself; nothing when it is not understood.
std::optional<ProcessStat> ParseProcessStat(std::string_view line);

// The effective user in the text of /proc/PID/status.
std::optional<uid_t> EffectiveUidOfStatus(std::string_view status);

// "/proc/PID/name".
std::string ProcPath(pid_t pid, std::string_view name);

// A file of the kernel's making, as it is now, as far as `most` bytes; nothing when it can't be
// read.
std::optional<std::string> ReadKernelFile(const std::string& path, size_t most);
std::optional<std::string> ReadKernelFile(const Descriptor& file, size_t most);
Descriptor OpenKernelFile(const std::string& path);

}  // namespace signet::ipc

#endif  // SIGNET_IPC_TRANSPORT_PROCESS_STAT_H_
