#include "client-lib/tools/backend_address.h"

#include <netdb.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

namespace signet::tools {
namespace {

constexpr std::string_view kHttp1 = "http://";
constexpr std::string_view kH2c = "h2c://";
constexpr uint16_t kDefaultPort = 80;

socklen_t SizeOf(const sockaddr_storage& address) {
  return address.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

}  // namespace

std::vector<sockaddr_storage> LookUpSlowly(const Endpoint& endpoint, std::string& error) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  int failure =
      getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &list);
  if (failure != 0) {
    error = gai_strerror(failure);
    return {};
  }
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, freeaddrinfo);
  std::vector<sockaddr_storage> addresses;
  for (addrinfo* each = list; each != nullptr; each = each->ai_next) {
    if (each->ai_addrlen > sizeof(sockaddr_storage)) continue;
    memcpy(&addresses.emplace_back(), each->ai_addr, each->ai_addrlen);
  }
  return addresses;
}

std::optional<BackendAddress> ResolveBackendSlowly(const std::string& url, std::string& error) {
  BackendAddress backend;
  std::string_view rest = url;
  if (rest.starts_with(kHttp1)) {
    rest.remove_prefix(kHttp1.size());
  } else if (rest.starts_with(kH2c)) {
    rest.remove_prefix(kH2c.size());
    backend.protocol = BackendProtocol::kH2c;
  } else {
    error = url + ": write http://HOST:PORT or h2c://HOST:PORT";
    return std::nullopt;
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  std::optional<Endpoint> endpoint = ParseEndpoint(rest, kDefaultPort);
  if (!endpoint || endpoint->port == 0) {
    error = url + ": write http://HOST:PORT or h2c://HOST:PORT, without a path";
    return std::nullopt;
  }
  backend.text = ToString(*endpoint);
  backend.addresses = LookUpSlowly(*endpoint, error);
  if (backend.addresses.empty()) {
    error = url + ": " + error + "; write an address, or a name that is known here";
    return std::nullopt;
  }
  return backend;
}

Descriptor StartConnect(const sockaddr_storage& address, std::string& error) {
  Descriptor fd(socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) {
    error = strerror(errno);
    return Descriptor();
  }
  int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), SizeOf(address)) != 0 &&
      errno != EINPROGRESS) {
    error = strerror(errno);
    return Descriptor();
  }
  return fd;
}

bool FinishConnect(int fd, std::string& error) {
  int failure = 0;
  socklen_t size = sizeof failure;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0) failure = errno;
  if (failure != 0) error = strerror(failure);
  return failure == 0;
}

}  // namespace signet::tools
