#include "agent/service_manager.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ipc/wire/socket_path.h"

namespace signet::agent {
namespace {

absl::Status Refused(const std::string& name, const char* why) {
  return absl::InvalidArgumentError(absl::StrCat("socket activation: the socket \"", name, "\" ",
                                                 why,
                                                 "; see FileDescriptorName= in its socket unit"));
}

// sd_listen_fds_with_names allocates with malloc.
std::vector<std::string> TakeNames(char** names, int count) {
  std::vector<std::string> taken;
  for (int i = 0; i < count; ++i) {
    taken.emplace_back(names[i]);
    free(names[i]);
  }
  free(names);
  return taken;
}

}  // namespace

absl::StatusOr<PassedSockets> TakePassedSockets() {
  char** raw = nullptr;
  const int count = sd_listen_fds_with_names(/*unset_environment=*/1, &raw);
  if (count < 0) return absl::InvalidArgumentError("socket activation: LISTEN_FDS is broken");
  PassedSockets sockets;
  const std::vector<std::string> names = TakeNames(raw, raw == nullptr ? 0 : count);
  for (int i = 0; i < static_cast<int>(names.size()); ++i) {
    ipc::Descriptor socket(SD_LISTEN_FDS_START + i);
    const std::string& name = names[i];
    if (name != wire::kAgentSocketName && name != wire::kGrpcSocketName) {
      return Refused(name, "is none of agent.sock and grpc.sock");
    }
    if (sd_is_socket_unix(socket.get(), SOCK_STREAM, /*listening=*/1, nullptr, 0) <= 0) {
      return Refused(name, "is no stream socket of AF_UNIX that listens");
    }
    fcntl(socket.get(), F_SETFL, fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
    if (!sockets.emplace(name, std::move(socket)).second) return Refused(name, "was passed twice");
  }
  return sockets;
}

asio::awaitable<void> Watchdog::Run() {
  uint64_t patience_us = 0;
  if (sd_watchdog_enabled(/*unset_environment=*/0, &patience_us) <= 0) co_return;
  while (!stopped_) {
    sd_notify(0, "WATCHDOG=1");
    timer_.expires_after(std::chrono::microseconds(patience_us / 2));
    asio::error_code ignored;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

void Watchdog::Stop() {
  stopped_ = true;
  timer_.cancel();
}

}  // namespace signet::agent
