#include "client-lib/tools/host_addresses.h"

#include <chrono>
#include <future>
#include <thread>
#include <utility>

#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {
namespace {

struct Resolution {
  int failure;  // of getaddrinfo
  Addresses addresses;
};

Resolution LookUpSlowly(const Endpoint& server) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (IsAddress(server.host) ? AI_NUMERICHOST : 0);
  addrinfo* result = nullptr;
  int failure =
      getaddrinfo(server.host.c_str(), std::to_string(server.port).c_str(), &hints, &result);
  return {failure, Addresses(result)};
}

}  // namespace

Addresses ResolveSlowly(const Endpoint& server, uint64_t deadline_ms, std::string& error,
                        bool& timed_out) {
  Resolution resolution{};
  if (IsAddress(server.host)) {
    resolution = LookUpSlowly(server);
  } else {
    // getaddrinfo takes no deadline, so a thread that nobody joins waits for it; what it touches is
    // its own.
    std::packaged_task<Resolution()> lookup([server] { return LookUpSlowly(server); });
    std::future<Resolution> result = lookup.get_future();
    std::thread(std::move(lookup)).detach();
    uint64_t now = NowMs();
    std::chrono::milliseconds patience(deadline_ms > now ? deadline_ms - now : 0);
    if (result.wait_for(patience) != std::future_status::ready) {
      timed_out = true;
      error = "its name was not resolved in time";
      return nullptr;
    }
    resolution = result.get();
  }
  if (resolution.failure != 0) error = gai_strerror(resolution.failure);
  return std::move(resolution.addresses);
}

}  // namespace signet::tools
