// A child process, a signet-backend mostly: started with a socket, watched and ended.
#ifndef SIGNET_AGENT_BACKENDS_CHILD_PROCESS_H_
#define SIGNET_AGENT_BACKENDS_CHILD_PROCESS_H_

#include <sys/types.h>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ipc/transport/descriptor.h"

namespace signet::agent {

// Where signet-backend is: beside the running program, in ../libexec/signet from
// there, or where this build is installed.
std::filesystem::path FindBackendProgram();

// What of the agent's environment a backend gets: where the token libraries find their files.
std::vector<std::string> BackendEnvironment();

// Owns the process: the destructor kills it and leaves no zombie, unless the kernel can't end it at
// once (it hangs in a driver); then it is reaped by whoever inherits it. Loop thread only.
class ChildProcess {
 public:
  // Starts the program with `socket` as descriptor 3, /dev/null as its input, no other descriptor
  // but output and error, default signals and the environment above. kUnavailable when it can't.
  static absl::StatusOr<ChildProcess> Spawn(asio::any_io_executor executor,
                                            const std::filesystem::path& program,
                                            ipc::Descriptor socket);

  // Takes over a child of this process that was started by other means, or ends it: kUnavailable.
  static absl::StatusOr<ChildProcess> Adopt(asio::any_io_executor executor, pid_t pid);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();

  pid_t pid() const { return pid_; }

  // True when the process has ended, and is reaped, before `patience` is over.
  asio::awaitable<bool> WaitForEnd(std::chrono::steady_clock::duration patience);

  // SIGKILL. The end is still to be waited for.
  void Kill();

  // How it ended: "ended with code 2", "was ended by signal 9 (Killed)"; "still runs" before that.
  const std::string& end() const { return end_; }

 private:
  ChildProcess(pid_t pid, asio::posix::stream_descriptor pidfd);
  bool Reap();

  pid_t pid_;  // 0 when moved from
  bool reaped_ = false;
  std::string end_ = "still runs";
  asio::posix::stream_descriptor pidfd_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_BACKENDS_CHILD_PROCESS_H_
