#include "ipc/dbus/bus.h"

#include <algorithm>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "absl/strings/str_cat.h"

namespace signet::ipc {

Bus::Bus(const asio::any_io_executor& loop, BusKind kind, std::vector<BusClient*> clients, Log log,
         BusPatience patience)
    : loop_(loop),
      kind_(kind),
      clients_(std::move(clients)),
      log_(std::move(log)),
      patience_(patience),
      rest_(loop) {}

asio::awaitable<void> Bus::Run() {
  const absl::StatusOr<std::string> address = FindBus(kind_);
  if (!address.ok()) {
    log_(absl::StrCat("no ", Name(kind_), " bus: ", address.status().message()));
    co_return;
  }
  std::chrono::milliseconds rest = patience_.first;
  while (!stopped_) {
    const absl::Status end = co_await RunConnection(*address);
    if (stopped_) co_return;
    NoteFailure(end);
    const auto now = std::chrono::steady_clock::now();
    if (connected_ && now - connected_at_ >= patience_.steady) rest = patience_.first;
    connected_ = false;
    rest_.expires_after(rest);
    asio::error_code ignored;
    co_await rest_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    rest = std::min(rest * 2, patience_.longest);
  }
}

void Bus::Stop() {
  stopped_ = true;
  rest_.cancel();
  if (connection_) connection_->Close();
}

asio::awaitable<absl::Status> Bus::RunConnection(const std::string& address) {
  absl::StatusOr<std::unique_ptr<BusConnection>> opened = BusConnection::Open(loop_, address);
  if (!opened.ok()) co_return opened.status();
  connection_ = *std::move(opened);
  std::function<void()> on_ready = [this] { Connected(); };
  const absl::Status end = co_await connection_->Run(std::move(on_ready));
  if (connected_) {
    for (BusClient* client : clients_) client->OnLost();
  }
  connection_.reset();
  co_return end;
}

void Bus::Connected() {
  connected_ = true;
  connected_at_ = std::chrono::steady_clock::now();
  if (failing_) log_(absl::StrCat("the ", Name(kind_), " bus is there again"));
  failing_ = false;
  for (BusClient* client : clients_) client->OnConnected(*connection_);
}

void Bus::NoteFailure(const absl::Status& why) {
  if (!failing_) {
    log_(absl::StrCat("no ", Name(kind_), " bus: ", why.message(), "; will try again"));
  }
  failing_ = true;
}

}  // namespace signet::ipc
