// A bus for as long as the agent lives: connects, and connects anew when the bus went away.
#ifndef SIGNET_IPC_DBUS_BUS_H_
#define SIGNET_IPC_DBUS_BUS_H_

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ipc/dbus/address.h"
#include "ipc/dbus/connection.h"

namespace signet::ipc {

// Somebody who has something to do on a bus.
class BusClient {
 public:
  virtual ~BusClient() = default;

  // The bus has welcomed us: the time to ask, watch and publish. `bus` is there until OnLost.
  virtual void OnConnected(BusConnection& bus) = 0;
  // It has gone, or we go: all slots must go, too.
  virtual void OnLost() = 0;
};

// Between two tries.
struct BusPatience {
  std::chrono::milliseconds first{500};  // doubles with each failure
  std::chrono::milliseconds longest{60'000};
  std::chrono::milliseconds steady{10'000};  // a connection this old was no failure
};

// Loop thread only. The clients outlive it; Run has ended before it goes, or the loop does not run
// again.
class Bus {
 public:
  using Log = std::function<void(const std::string& line)>;

  // `log` gets one line when the bus can't be reached, and one when it can again.
  Bus(const asio::any_io_executor& loop, BusKind kind, std::vector<BusClient*> clients, Log log,
      BusPatience patience = {});

  // Until Stop(), or at once when nothing names the bus. Never fails: without a bus its clients
  // have nothing to do.
  asio::awaitable<void> Run();
  void Stop();

 private:
  asio::awaitable<absl::Status> RunConnection(const std::string& address);
  void Connected();
  void NoteFailure(const absl::Status& why);

  const asio::any_io_executor loop_;
  const BusKind kind_;
  const std::vector<BusClient*> clients_;
  const Log log_;
  const BusPatience patience_;
  std::unique_ptr<BusConnection> connection_;
  asio::steady_timer rest_;
  std::chrono::steady_clock::time_point connected_at_;
  bool connected_ = false;
  bool failing_ = false;  // and the log knows
  bool stopped_ = false;
};

}  // namespace signet::ipc

#endif  // SIGNET_IPC_DBUS_BUS_H_
