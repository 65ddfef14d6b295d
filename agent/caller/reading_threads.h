// Reads what may take as long as a caller likes: what its memory or its files are on can be a file
// system in its own hands (FUSE), and a read that hangs can't be called off. So each has a thread
// of its own and a limit in time, after which nobody waits for it; a few at once, so that whoever
// makes them hang takes nothing else away.
#ifndef SIGNET_AGENT_CALLER_READING_THREADS_H_
#define SIGNET_AGENT_CALLER_READING_THREADS_H_

#include <asio/awaitable.hpp>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace signet::agent {

// Loop thread only.
class ReadingThreads {
 public:
  // Runs on a thread, which may outlive all that is not its own. `given_up`: nobody waits any more.
  using Work = std::function<absl::StatusOr<std::string>(const std::atomic<bool>& given_up)>;

  // At once, those that hang included.
  explicit ReadingThreads(size_t most)
      : most_(most), running_(std::make_shared<std::atomic<size_t>>(0)) {}

  // What `work` gives. kDeadlineExceeded when it takes longer, kResourceExhausted when no thread is
  // left.
  asio::awaitable<absl::StatusOr<std::string>> Run(Work work, std::chrono::milliseconds time);

 private:
  const size_t most_;
  const std::shared_ptr<std::atomic<size_t>> running_;  // shared with the threads
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_CALLER_READING_THREADS_H_
