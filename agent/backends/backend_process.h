// One run of signet-backend and the socket to it.
#ifndef SIGNET_AGENT_BACKENDS_BACKEND_PROCESS_H_
#define SIGNET_AGENT_BACKENDS_BACKEND_PROCESS_H_

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "agent/backends/child_process.h"
#include "agent/identity/key_source.h"
#include "ipc/backend.pb.h"
#include "ipc/transport/message_channel.h"

namespace signet::agent {

// Loop thread only. One call of Ask, WaitForInput or End at a time.
class BackendProcess {
 public:
  static absl::StatusOr<std::unique_ptr<BackendProcess>> Start(
      asio::any_io_executor executor, const std::filesystem::path& program);

  pid_t pid() const { return child_.pid(); }

  // The answer to the request, which may be an error answer. With any other status the process is
  // of no more use: kDeadlineExceeded when it did not answer before `end` and was killed,
  // kInvalidArgument when what came is no answer, kUnavailable when it has ended.
  asio::awaitable<absl::StatusOr<backend::v1::BackendResponse>> Ask(
      const backend::v1::BackendRequest& request, int descriptor, Deadline end);

  // With nothing asked: true when the process has ended or talks out of turn, false on Interrupt.
  asio::awaitable<bool> WaitForInput() { return channel_.WaitForInput(); }
  void Interrupt() { channel_.Interrupt(); }

  // Closes the socket, which is how the process is told to end. An Ask under way fails.
  void HangUp() { channel_.Close(); }

  // Closes the socket, waits as long as `patience`, kills, reaps. What the kernel does not let die
  // is left to a coroutine of its own. Returns how it ended: ChildProcess::end().
  asio::awaitable<std::string> End(std::chrono::steady_clock::duration patience);

 private:
  BackendProcess(ChildProcess child, ipc::MessageChannel channel);

  ChildProcess child_;
  ipc::MessageChannel channel_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_BACKENDS_BACKEND_PROCESS_H_
