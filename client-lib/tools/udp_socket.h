// Non-blocking UDP sockets, and the datagrams on them.
#ifndef SIGNET_CLIENT_LIB_TOOLS_UDP_SOCKET_H_
#define SIGNET_CLIENT_LIB_TOOLS_UDP_SOCKET_H_

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "client-lib/tools/descriptor.h"
#include "client-lib/tools/endpoint.h"

namespace signet::tools {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

// One for each address of the server that the system has a route to. Blocks for the resolution of
// its name, until `deadline_ms` at most. On failure there are none, `error` says why, and
// `timed_out` whether it was the deadline.
std::vector<Descriptor> ConnectUdpSlowly(const Endpoint& server, uint64_t deadline_ms,
                                         std::string& error, bool& timed_out);
// Bound to the same address and port as `listener`, a TCP socket.
Descriptor BindUdpBeside(const Descriptor& listener, std::string& error);

SocketAddress LocalAddress(const Descriptor& socket);
SocketAddress PeerAddress(const Descriptor& socket);

// The next datagram that waits, with its sender, or nothing. `refused` is set when it was heard, on
// a connected socket, that nobody listens there.
std::optional<size_t> ReceiveDatagram(const Descriptor& socket, std::span<uint8_t> out,
                                      SocketAddress& from, bool& refused);
// What the kernel does not take is lost, as any datagram may be. `to` null: the socket's peer.
void SendDatagram(const Descriptor& socket, std::span<const uint8_t> data, const sockaddr* to,
                  socklen_t size);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_UDP_SOCKET_H_
