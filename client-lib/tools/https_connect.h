// From a host and port to a TLS connection that is ready for HTTP/2, within a deadline.
#ifndef SIGNET_CLIENT_LIB_TOOLS_HTTPS_CONNECT_H_
#define SIGNET_CLIENT_LIB_TOOLS_HTTPS_CONNECT_H_

#include <openssl/ssl.h>
#include <poll.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "client-lib/tools/byte_stream.h"
#include "client-lib/tools/endpoint.h"
#include "client-lib/tools/fetch_report.h"
#include "client-lib/tools/kept_client_hello.h"
#include "client-lib/tools/tls_stream.h"

namespace signet::tools {

// Waits for the socket (a descriptor of -1: for what carries it) until `deadline_ms`, and meanwhile
// keeps other connections going.
using Await = std::function<void(pollfd socket, uint64_t deadline_ms)>;

// TLS is complete.
struct HttpsConnection {
  std::unique_ptr<TlsStream> stream;
  std::unique_ptr<KeptClientHello> client_hello;  // goes first
};

// Connects to `server` and expects there the certificate of `host`. Blocks until `deadline_ms` (of
// NowMs()) at the longest. On failure the report says why.
std::optional<HttpsConnection> ConnectHttpsSlowly(SSL_CTX* context, const Endpoint& server,
                                                  const std::string& host, uint64_t deadline_ms,
                                                  const Await& await, FetchReport& report);
// The same with `server` at the other end of a tunnel.
std::optional<HttpsConnection> ConnectHttpsSlowly(SSL_CTX* context,
                                                  std::unique_ptr<ByteStream> tunnel,
                                                  const Endpoint& server, uint64_t deadline_ms,
                                                  const Await& await, FetchReport& report);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_HTTPS_CONNECT_H_
