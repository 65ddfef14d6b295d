// What the service manager (systemd) gives to the agent and hears from it. Without one, nothing.
#ifndef SIGNET_AGENT_SERVICE_MANAGER_H_
#define SIGNET_AGENT_SERVICE_MANAGER_H_

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "ipc/transport/descriptor.h"

namespace signet::agent {

using PassedSockets = std::map<std::string, ipc::Descriptor, std::less<>>;

// Sockets that listen already, passed by socket activation (sd_listen_fds(3)), by their
// FileDescriptorName=: "agent.sock", "grpc.sock". kInvalidArgument for one of another name, for a
// name given twice and for what is no listening stream socket. Once, early: takes them over.
absl::StatusOr<PassedSockets> TakePassedSockets();

// Tells the manager that the loop turns, twice in each WatchdogSec= (sd_watchdog_enabled(3)). Loop
// thread only; outlives the loop's last turn.
class Watchdog {
 public:
  explicit Watchdog(const asio::any_io_executor& loop) : timer_(loop) {}

  // Until Stop(); ends at once when nobody watches.
  asio::awaitable<void> Run();
  void Stop();

 private:
  asio::steady_timer timer_;
  bool stopped_ = false;  // a timer that has just expired can't be cancelled any more
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_SERVICE_MANAGER_H_
