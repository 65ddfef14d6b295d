// The audit log of the running agent: each record goes to the output at once, and to the trail on
// disk soon after. Nothing waits for the disk. After each write there is a pause, unless records
// are `required`: those that come together share one fdatasync, and the processor is left to the
// requests. A crash can take the trail's last records, which the output got at once.
//
// When the disk takes no more (it is full, or broken) the agent goes on, unless it is told
// otherwise: records still reach the output, and are kept in memory until the disk takes them
// again. Refusing would let whoever can fill a disk lock everybody out of every server, and out of
// the means to mend it. Where no proof may go unrecorded, `required` refuses all the same. Either
// way the output says so, and the trail itself says how many records it has lost.
#ifndef SIGNET_AGENT_AUDIT_AUDIT_TRAIL_H_
#define SIGNET_AGENT_AUDIT_AUDIT_TRAIL_H_

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <asio/thread_pool.hpp>
#include <chrono>
#include <filesystem>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/audit/audit_file.h"
#include "agent/audit/audit_log.h"
#include "agent/audit/audit_output.h"

namespace signet::agent {

struct AuditTrailOptions {
  bool required = false;                    // no proof without a record of it
  size_t max_pending = 4096;                // records in memory while the disk takes none
  uint64_t records_per_head = 256;          // a head goes to the output after so many,
  std::chrono::seconds head_interval{300};  // or so long after the first
  std::chrono::seconds retry_interval{2};   // of a disk that failed
  std::chrono::milliseconds pause{5};       // from one write to the next; none if required
  AuditFileLimits file = {};
};

// Loop thread only; files are written by `file_worker`. The references outlive it; it outlives the
// loop's last turn.
class AuditTrail final : public AuditLog {
 public:
  AuditTrail(asio::any_io_executor loop, asio::thread_pool& file_worker,
             const std::filesystem::path& folder, AuditOutput& output,
             const AuditTrailOptions& options = {});

  void Write(const AuditRecord& record) override;
  absl::Status CheckRecording() const override;
  void SetRequired(bool required) { options_.required = required; }

  // Waits until all is on disk, or the disk has failed once more, and notes the head. What is
  // written later still goes to disk while the loop turns.
  asio::awaitable<void> Stop();

 private:
  void StartWriting();
  asio::awaitable<void> WritePending();
  void Failed(absl::Status failure, std::vector<AuditRecord> kept);
  void Written(const audit::Head& head, size_t records);
  void NoteHead();
  void NoteHeadLater();

  const asio::any_io_executor loop_;
  asio::thread_pool& file_worker_;
  AuditOutput& output_;
  AuditTrailOptions options_;
  AuditFile file_;  // the file worker's, while writing_
  std::vector<AuditRecord> pending_;
  uint64_t lost_ = 0;  // that found no place in pending_
  bool writing_ = false;
  bool stopped_ = false;
  absl::Status failure_;  // of the last write
  audit::Head head_;
  uint64_t unnoted_ = 0;  // records since the last head that was noted
  asio::steady_timer pause_;
  asio::steady_timer retry_;
  asio::steady_timer note_;
  bool noting_ = false;  // note_ is set
  asio::steady_timer idle_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_AUDIT_AUDIT_TRAIL_H_
