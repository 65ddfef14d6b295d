// Retry (RFC 9000 section 8.1.2): makes a client show that it is where it says, before anything is
// kept of it. Sans-I/O; no thread.
#ifndef SIGNET_CLIENT_LIB_TOOLS_QUIC_RETRY_H_
#define SIGNET_CLIENT_LIB_TOOLS_QUIC_RETRY_H_

#include <ngtcp2/ngtcp2.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "client-lib/tools/udp_socket.h"

namespace signet::tools {

class QuicRetry {
 public:
  // With a secret of its own: what another one sent is not good here.
  QuicRetry();

  // The datagram that tells `from` to come again; empty when there can be none. `first` is the
  // header of its first datagram.
  std::vector<uint8_t> Answer(const ngtcp2_pkt_hd& first, const SocketAddress& from) const;
  // The id that the client chose before it was told to come again; nothing when it was not told so,
  // by this, at this address, within the last seconds.
  std::optional<ngtcp2_cid> OriginalId(const ngtcp2_pkt_hd& first, const SocketAddress& from) const;

 private:
  std::array<uint8_t, 32> secret_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_QUIC_RETRY_H_
