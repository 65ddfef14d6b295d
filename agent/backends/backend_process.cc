#include "agent/backends/backend_process.h"

#include <sys/socket.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/local/stream_protocol.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "agent/backends/exchange.h"
#include "ipc/transport/time_limit.h"

namespace signet::agent {
namespace {

constexpr std::chrono::seconds kKillPatience{1};
constexpr std::chrono::hours kForAsLongAsItTakes{24 * 365};

}  // namespace

absl::StatusOr<std::unique_ptr<BackendProcess>> BackendProcess::Start(
    asio::any_io_executor executor, const std::filesystem::path& program) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return absl::UnavailableError(absl::StrCat("start ", program.string(),
                                               ": make its socket: ", std::strerror(errno),
                                               "; raise the limit of open files"));
  }
  asio::local::stream_protocol::socket ours(executor, asio::local::stream_protocol(), ends[0]);
  ipc::Descriptor theirs(ends[1]);
  absl::StatusOr<ChildProcess> child = ChildProcess::Spawn(executor, program, std::move(theirs));
  if (!child.ok()) return child.status();
  return std::unique_ptr<BackendProcess>(
      new BackendProcess(*std::move(child), ipc::MessageChannel(std::move(ours))));
}

BackendProcess::BackendProcess(ChildProcess child, ipc::MessageChannel channel)
    : child_(std::move(child)), channel_(std::move(channel)) {}

asio::awaitable<absl::StatusOr<backend::v1::BackendResponse>> BackendProcess::Ask(
    const backend::v1::BackendRequest& request, int descriptor, Deadline end) {
  bool hung = false;
  // Killing alone would do, but for a process that hangs in a driver.
  const ipc::TimeLimit limit(channel_.executor(), end, [&] {
    hung = true;
    child_.Kill();
    channel_.Close();
  });
  absl::StatusOr<backend::v1::BackendResponse> response =
      co_await Exchange(channel_, request, descriptor);
  if (response.ok()) co_return response;
  if (hung || absl::IsDeadlineExceeded(response.status())) {
    co_return absl::DeadlineExceededError("no answer in time");
  }
  if (absl::IsInvalidArgument(response.status())) co_return response;
  co_return absl::UnavailableError("signet-backend has ended");
}

asio::awaitable<std::string> BackendProcess::End(std::chrono::steady_clock::duration patience) {
  channel_.Close();
  bool ended = co_await child_.WaitForEnd(patience);
  if (!ended) {
    child_.Kill();
    ended = co_await child_.WaitForEnd(kKillPatience);
  }
  if (!ended) {
    auto reap = [](ChildProcess child) -> asio::awaitable<void> {
      co_await child.WaitForEnd(kForAsLongAsItTakes);
    };
    asio::co_spawn(channel_.executor(), reap(std::move(child_)), asio::detached);
    co_return "hangs in the kernel and can't be killed";
  }
  co_return child_.end();
}

}  // namespace signet::agent
