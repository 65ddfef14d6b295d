#include "agent/caller/ancestry.h"

#include <optional>

#include "ipc/transport/process_stat.h"

namespace signet::agent {

std::vector<ParentProcess> ParentsOf(pid_t pid, uint64_t start_time) {
  std::vector<ParentProcess> parents;
  std::optional<ipc::ProcessStat> child = ipc::ReadProcessStat(pid);
  if (!child || child->start_time != start_time) return parents;
  while (parents.size() < kMaxParents && child->parent > 1) {
    std::optional<ipc::ProcessStat> parent = ipc::ReadProcessStat(child->parent);
    if (!parent || parent->start_time > child->start_time) break;
    parents.push_back({child->parent, PrintableName(parent->name)});
    child = std::move(parent);
  }
  return parents;
}

}  // namespace signet::agent
