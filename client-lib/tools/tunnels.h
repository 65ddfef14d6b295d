// Tunnels through the gateway: what a client may CONNECT to, and the TCP connections to there
// (RFC 9110 section 9.3.6, RFC 9113 section 8.5, RFC 9114 section 4.4).
#ifndef SIGNET_CLIENT_LIB_TOOLS_TUNNELS_H_
#define SIGNET_CLIENT_LIB_TOOLS_TUNNELS_H_

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client-lib/tools/endpoint.h"
#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/plain_stream.h"
#include "client-lib/tools/upstream.h"

namespace signet::tools {

inline constexpr size_t kDefaultTunnels = 256;

struct TunnelTarget {
  Endpoint target;                          // as clients name it; host in lower case
  std::vector<sockaddr_storage> addresses;  // at least one; tried in this order
  size_t connections = kDefaultTunnels;     // at the same time, at most
};

// HOST:PORT, the host in lower case.
std::optional<Endpoint> ParseTunnelTarget(std::string_view text);

// The only way to a target is its own entry: its addresses were looked up when the gateway
// started, and nothing that a client says is ever looked up.
class Tunnels : public Backend {
 public:
  // `loop` and `targets` outlive this, and this its exchanges. A tunnel on which nothing moves for
  // so long is ended.
  Tunnels(EventLoop& loop, const std::vector<TunnelTarget>& targets, uint32_t idle_timeout_ms);
  ~Tunnels() override;

  // Of a CONNECT request. A target that is not listed fails with 403.
  std::unique_ptr<UpstreamExchange> Start(UpstreamRequest request, UpstreamEvents& events) override;

 private:
  friend class TunnelExchange;

  // The last bytes for a target, of a client that has said all.
  struct LastWords;
  void SendLastWords(PlainStream stream, std::string bytes);

  EventLoop& loop_;
  const std::vector<TunnelTarget>& targets_;
  const uint32_t idle_timeout_ms_;
  std::vector<size_t> open_;                            // of each target
  std::vector<std::shared_ptr<LastWords>> last_words_;  // shared with the loop for its destruction
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_TUNNELS_H_
