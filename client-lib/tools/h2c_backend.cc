#include "client-lib/tools/h2c_backend.h"

#include <algorithm>

#include "client-lib/tools/h2c_connection.h"
#include "client-lib/tools/h2c_exchange.h"

namespace signet::tools {
namespace {

// One connection is one TCP stream: a lost packet holds up all that share it.
constexpr size_t kMaxSharing = 100;

}  // namespace

H2cBackend::H2cBackend(EventLoop& loop, const BackendAddress& address, size_t max_connections,
                       uint32_t timeout_ms)
    : loop_(loop), address_(address), max_connections_(max_connections), timeout_ms_(timeout_ms) {}

H2cBackend::~H2cBackend() = default;

std::unique_ptr<UpstreamExchange> H2cBackend::Start(UpstreamRequest request,
                                                    UpstreamEvents& events) {
  return std::make_unique<H2cExchange>(*this, std::move(request), events);
}

H2cConnection& H2cBackend::Choose() {
  H2cConnection* least = nullptr;
  for (const std::shared_ptr<H2cConnection>& each : connections_) {
    if (!each->takes_requests()) continue;
    if (least == nullptr || each->load() < least->load()) least = each.get();
  }
  bool room = least != nullptr && least->load() < std::min(kMaxSharing, least->capacity());
  if (room || (least != nullptr && connections_.size() >= max_connections_)) return *least;
  connections_.push_back(std::make_shared<H2cConnection>(*this));
  return *connections_.back();
}

void H2cBackend::Remove(H2cConnection& connection) {
  auto found = std::ranges::find(connections_, &connection, &std::shared_ptr<H2cConnection>::get);
  loop_.DestroyLater(std::move(*found));
  connections_.erase(found);
}

}  // namespace signet::tools
