// Non-blocking TCP sockets, opened and accepted.
#ifndef SIGNET_CLIENT_LIB_TOOLS_TCP_SOCKET_H_
#define SIGNET_CLIENT_LIB_TOOLS_TCP_SOCKET_H_

#include <cstdint>
#include <optional>
#include <string>

#include "client-lib/tools/descriptor.h"
#include "client-lib/tools/endpoint.h"

namespace signet::tools {

// Blocks until connected, refused or `deadline_ms` (of NowMs()) has come: name resolution included.
// Tries every address of the name, each with its share of the time. On failure the descriptor is
// invalid, `error` says why, and `timed_out` whether it was the deadline.
Descriptor ConnectSlowly(const Endpoint& server, uint64_t deadline_ms, std::string& error,
                         bool& timed_out);

// Listens on an address, not a name. Port 0 picks one: see LocalEndpoint.
Descriptor Listen(const Endpoint& address, std::string& error);
std::string LocalEndpoint(const Descriptor& socket);

// The next connection that waits, or an invalid descriptor; errno says why.
Descriptor Accept(const Descriptor& listener, std::string& peer);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_TCP_SOCKET_H_
