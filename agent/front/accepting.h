// Accepts connections for as long as the acceptor is open: the same for both sockets.
#ifndef SIGNET_AGENT_FRONT_ACCEPTING_H_
#define SIGNET_AGENT_FRONT_ACCEPTING_H_

#include <asio/awaitable.hpp>
#include <asio/local/stream_protocol.hpp>
#include <functional>

namespace signet::agent {

// Calls `serve` with each connection. When no descriptor or memory is left it waits a moment
// instead of spinning: the connection stays in the backlog. `acceptor` outlives it; ends once that
// is closed.
asio::awaitable<void> AcceptConnections(
    asio::local::stream_protocol::acceptor& acceptor,
    std::function<void(asio::local::stream_protocol::socket)> serve);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_FRONT_ACCEPTING_H_
