// Is the audit trail what the agent wrote? Needs the files alone, no agent.
//
// What it finds by itself: a line that was changed, removed, added or moved. What nobody can see
// in the files alone, a chain that was cut off or written anew from some line on, shows when a head
// that was noted elsewhere (the agent writes them to the journal) is no longer in it.
#ifndef SIGNET_IPC_AUDIT_VERIFICATION_H_
#define SIGNET_IPC_AUDIT_VERIFICATION_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ipc/audit/chain.h"

namespace signet::audit {

struct Finding {
  std::filesystem::path file;  // empty: the trail as a whole
  uint64_t line = 0;
  std::string what;  // for a person

  std::string ToString() const;  // "FILE:LINE: what"
};

struct Verification {
  size_t files = 0;
  uint64_t records = 0;
  uint64_t first_seq = 0;  // 0: no record
  Head head;
  std::vector<Finding> problems;  // none: intact
  std::vector<Finding> notes;     // what is unusual, and explained by the trail itself

  bool intact() const { return problems.empty(); }
};

// Blocks on the file system. kNotFound when the folder holds no audit file; ReadTrailFile's
// failures. `recorded_heads`: each must be the hash of some record.
absl::StatusOr<Verification> VerifyTrailSlowly(const std::filesystem::path& folder,
                                               const std::vector<Hash>& recorded_heads = {});

}  // namespace signet::audit

#endif  // SIGNET_IPC_AUDIT_VERIFICATION_H_
