// The clock of all deadlines here and in libsignet: milliseconds, never set back.
#ifndef SIGNET_CLIENT_LIB_TOOLS_MONOTONIC_CLOCK_H_
#define SIGNET_CLIENT_LIB_TOOLS_MONOTONIC_CLOCK_H_

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace signet::tools {

inline constexpr uint64_t kNever = UINT64_MAX;

inline uint64_t NowMs() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// For poll() and epoll_wait(): -1 = no limit. Rounded up by one so that a wait never ends early.
inline int PollTimeout(uint64_t deadline_ms) {
  if (deadline_ms == kNever) return -1;
  uint64_t now = NowMs();
  return deadline_ms <= now ? 0
                            : static_cast<int>(std::min<uint64_t>(deadline_ms - now + 1, 60000));
}

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_MONOTONIC_CLOCK_H_
