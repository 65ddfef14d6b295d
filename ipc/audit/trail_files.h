// The files of an audit trail: a folder of `audit-NNN.jsonl`, NNN being the number of the file's
// first record. All block on the file system.
#ifndef SIGNET_IPC_AUDIT_TRAIL_FILES_H_
#define SIGNET_IPC_AUDIT_TRAIL_FILES_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace signet::audit {

inline constexpr char kFolderName[] = "audit";  // in the agent's state folder

struct TrailFile {
  std::filesystem::path path;
  uint64_t first_seq = 0;  // as its name says
};

std::string TrailFileName(uint64_t first_seq);

// In the order of the chain. None when the folder is not there. kPermissionDenied and others with
// the folder and the system's reason.
absl::StatusOr<std::vector<TrailFile>> ListTrail(const std::filesystem::path& folder);

// The whole file, which must be a regular one.
absl::StatusOr<std::string> ReadTrailFile(const std::filesystem::path& file);

// `ended` is false for a last line without a newline: a write was cut short. Numbers from 1.
struct Line {
  std::string_view text;
  uint64_t number = 0;
  bool ended = true;
};
std::vector<Line> LinesOf(std::string_view content);

}  // namespace signet::audit

#endif  // SIGNET_IPC_AUDIT_TRAIL_FILES_H_
