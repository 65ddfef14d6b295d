#include "client-lib/tools/udp_socket.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "client-lib/tools/host_addresses.h"

namespace signet::tools {

std::vector<Descriptor> ConnectUdpSlowly(const Endpoint& server, uint64_t deadline_ms,
                                         std::string& error, bool& timed_out) {
  timed_out = false;
  std::vector<Descriptor> sockets;
  Addresses addresses = ResolveSlowly(server, deadline_ms, error, timed_out);
  for (addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
    Descriptor fd(socket(each->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (fd.valid() && connect(fd.get(), each->ai_addr, each->ai_addrlen) == 0) {
      sockets.push_back(std::move(fd));
    } else {
      error = strerror(errno);
    }
  }
  return sockets;
}

Descriptor BindUdpBeside(const Descriptor& listener, std::string& error) {
  const SocketAddress address = LocalAddress(listener);
  Descriptor fd(socket(address.storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.valid() && bind(fd.get(), address.get(), address.size) == 0) return fd;
  error = strerror(errno);
  return Descriptor();
}

SocketAddress LocalAddress(const Descriptor& socket) {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (getsockname(socket.get(), address.get(), &address.size) != 0) address.size = 0;
  return address;
}

SocketAddress PeerAddress(const Descriptor& socket) {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (getpeername(socket.get(), address.get(), &address.size) != 0) address.size = 0;
  return address;
}

std::optional<size_t> ReceiveDatagram(const Descriptor& socket, std::span<uint8_t> out,
                                      SocketAddress& from, bool& refused) {
  from.size = sizeof from.storage;
  for (int i = 0; i < 2; ++i) {  // an error stands before what has arrived
    const ssize_t size = recvfrom(socket.get(), out.data(), out.size(), 0, from.get(), &from.size);
    if (size >= 0) return static_cast<size_t>(size);
    if (errno == EAGAIN) break;
    refused = refused || errno == ECONNREFUSED;
  }
  return std::nullopt;
}

void SendDatagram(const Descriptor& socket, std::span<const uint8_t> data, const sockaddr* to,
                  socklen_t size) {
  [[maybe_unused]] const ssize_t sent =
      sendto(socket.get(), data.data(), data.size(), 0, to, to == nullptr ? 0 : size);
}

}  // namespace signet::tools
