// Where the backend is: http://HOST:PORT or h2c://HOST:PORT.
#ifndef SIGNET_CLIENT_LIB_TOOLS_BACKEND_ADDRESS_H_
#define SIGNET_CLIENT_LIB_TOOLS_BACKEND_ADDRESS_H_

#include <sys/socket.h>

#include <optional>
#include <string>
#include <vector>

#include "client-lib/tools/descriptor.h"
#include "client-lib/tools/endpoint.h"

namespace signet::tools {

enum class BackendProtocol { kHttp1, kH2c };

struct BackendAddress {
  BackendProtocol protocol = BackendProtocol::kHttp1;
  std::string text;                         // HOST:PORT, for messages
  std::vector<sockaddr_storage> addresses;  // at least one; tried in this order
};

// Looks the name up, which may take long. Nothing, with a reason in `error`, when the URL is not
// understood or the name is not known.
std::optional<BackendAddress> ResolveBackendSlowly(const std::string& url, std::string& error);

// The addresses of a host; none, with a reason in `error`, when it is not known.
std::vector<sockaddr_storage> LookUpSlowly(const Endpoint& endpoint, std::string& error);

// A non-blocking socket that is being connected; write to it when it is ready. Invalid, with a
// reason in `error`, when that fails at once.
Descriptor StartConnect(const sockaddr_storage& address, std::string& error);
// Once it is ready: whether the connection stands; if not, `error` says why.
bool FinishConnect(int fd, std::string& error);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_BACKEND_ADDRESS_H_
