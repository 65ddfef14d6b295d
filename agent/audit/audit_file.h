// The audit trail on disk: appends to the chain of ipc/audit, across a crash, a full disk and the
// change from one file to the next.
#ifndef SIGNET_AGENT_AUDIT_AUDIT_FILE_H_
#define SIGNET_AGENT_AUDIT_AUDIT_FILE_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ipc/audit/chain.h"
#include "ipc/audit/trail_files.h"

namespace signet::agent {

struct AuditFileLimits {
  uint64_t size = 16 << 20;  // a file that has reached it is followed by a new one
  size_t files = 16;         // and the oldest are removed
};

// One at a time for a folder; one thread at a time. Opens nothing before the first call.
class AuditFile {
 public:
  explicit AuditFile(std::filesystem::path folder, AuditFileLimits limits = {});
  ~AuditFile();
  AuditFile(const AuditFile&) = delete;
  AuditFile& operator=(const AuditFile&) = delete;

  // Appends all of them and returns when they are on disk; on failure (FileError's) none is, and
  // the next call tries anew. A half-written line that a crash left behind stays where it is, and a
  // record says so; likewise when files were taken away.
  absl::StatusOr<audit::Head> AppendSlowly(const std::vector<audit::Fields>& records);

 private:
  absl::Status Open();
  absl::Status ReadHead(const std::vector<audit::TrailFile>& files);
  absl::Status OpenFile(const std::filesystem::path& path);
  absl::Status PrepareFile();
  absl::Status StartNextFile();
  absl::Status WriteDurably(const std::string& text);
  void Close();

  const std::filesystem::path folder_;
  const AuditFileLimits limits_;
  bool found_head_ = false;
  audit::Head head_;  // of what is on disk
  int fd_ = -1;
  std::filesystem::path path_;
  uint64_t size_ = 0;
  bool ended_ = true;                              // the file ends with a newline, or is empty
  std::vector<audit::Fields> own_records_;         // of the trail itself, to be written first
  std::vector<std::filesystem::path> superseded_;  // files to remove once those are written
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_AUDIT_AUDIT_FILE_H_
