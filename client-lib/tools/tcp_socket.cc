#include "client-lib/tools/tcp_socket.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "client-lib/tools/host_addresses.h"
#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {
namespace {

constexpr int kBacklog = 256;

// 0 or an errno.
int FinishConnect(int fd, uint64_t deadline_ms) {
  for (;;) {
    pollfd wait{fd, POLLOUT, 0};
    int ready = poll(&wait, 1, PollTimeout(deadline_ms));
    if (ready == 0 && NowMs() >= deadline_ms) return ETIMEDOUT;
    if (ready < 0 && errno != EINTR) return errno;
    if (ready <= 0) continue;
    int failure = 0;
    socklen_t size = sizeof failure;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0) return errno;
    return failure;
  }
}

void SendAtOnce(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

Descriptor ConnectSlowly(const Endpoint& server, uint64_t deadline_ms, std::string& error,
                         bool& timed_out) {
  timed_out = false;
  Addresses addresses = ResolveSlowly(server, deadline_ms, error, timed_out);
  uint64_t left = 0;
  for (addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) ++left;
  for (addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next, --left) {
    uint64_t now = NowMs();
    uint64_t share = now + (deadline_ms > now ? (deadline_ms - now) / left : 0);
    Descriptor fd(socket(each->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    int failure = fd.valid() ? 0 : errno;
    if (failure == 0 && connect(fd.get(), each->ai_addr, each->ai_addrlen) != 0) {
      failure = errno == EINPROGRESS ? FinishConnect(fd.get(), share) : errno;
    }
    if (failure == 0) {
      SendAtOnce(fd.get());
      return fd;
    }
    error = strerror(failure);
    timed_out = failure == ETIMEDOUT;
  }
  return Descriptor();
}

Descriptor Listen(const Endpoint& address, std::string& error) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  addrinfo* result = nullptr;
  int failure =
      getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &result);
  if (failure != 0) {
    error = gai_strerror(failure);
    return Descriptor();
  }
  Addresses addresses(result);
  Descriptor fd(socket(result->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  int on = 1;
  if (!fd.valid() || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(fd.get(), result->ai_addr, result->ai_addrlen) != 0 || listen(fd.get(), kBacklog) != 0) {
    error = strerror(errno);
    return Descriptor();
  }
  return fd;
}

std::string LocalEndpoint(const Descriptor& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return "unknown";
  return ToString(address);
}

Descriptor Accept(const Descriptor& listener, std::string& peer) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  Descriptor fd(accept4(listener.get(), reinterpret_cast<sockaddr*>(&address), &size,
                        SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd.valid()) {
    SendAtOnce(fd.get());
    peer = ToString(address);
  }
  return fd;
}

}  // namespace signet::tools
