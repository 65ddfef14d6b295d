// What lies in a caller's own memory and files: its command line, the bytes of its executable.
#ifndef SIGNET_AGENT_CALLER_PROCESS_READER_H_
#define SIGNET_AGENT_CALLER_PROCESS_READER_H_

#include <sys/types.h>

#include <asio/awaitable.hpp>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "agent/caller/reading_threads.h"
#include "ipc/transport/peer.h"

namespace signet::agent {

struct ReadingLimits {
  size_t threads = 4;
  uint64_t executable_size = uint64_t{512} << 20;
  std::chrono::milliseconds executable_time{5000};
  std::chrono::milliseconds command_line_time{200};
};

// Loop thread only. A call keeps the peer; it ends before this object does.
class ProcessReader {
 public:
  static constexpr size_t kMaxCommandLine = 256;  // characters
  static constexpr size_t kMaxHashes = 64;        // remembered

  ProcessReader() : ProcessReader(ReadingLimits()) {}
  explicit ProcessReader(ReadingLimits limits);

  // Of the file that the peer runs, lower-case hex. Remembered for as long as device, inode, size
  // and the times of the last changes are the same.
  //
  // kPermissionDenied: it may not be read, or is another than when the peer connected.
  // kOutOfRange: it is too large. kDeadlineExceeded: it takes too long. kResourceExhausted: too
  // many are being read.
  asio::awaitable<absl::StatusOr<std::string>> Sha256(std::shared_ptr<const ipc::Peer> peer);

  // As the process has it, which is not what it was started with if it prefers something else.
  // Printable, cut; empty when it can't be had in time.
  asio::awaitable<std::string> CommandLine(std::shared_ptr<const ipc::Peer> peer);

 private:
  struct FileState {
    dev_t device;
    ino_t inode;
    int64_t size;
    int64_t modified, changed;  // ns since 1970
    friend bool operator==(const FileState&, const FileState&) = default;
  };
  struct Hash {
    FileState file;
    std::string sha256;
  };
  static absl::StatusOr<std::string> HashSlowly(int file, uint64_t most,
                                                const std::atomic<bool>& given_up);
  static std::optional<FileState> StateOf(int file);

  const ReadingLimits limits_;
  ReadingThreads threads_;
  std::list<Hash> hashes_;  // the latest first
};

// Words apart by spaces; what is not printable ASCII becomes '?'.
std::string PrintableCommandLine(std::string_view cmdline);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_CALLER_PROCESS_READER_H_
