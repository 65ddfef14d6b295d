#include "client-lib/tools/https_connect.h"

#include <string_view>
#include <utility>

#include "client-lib/tools/monotonic_clock.h"
#include "client-lib/tools/tcp_socket.h"

namespace signet::tools {
namespace {

bool HandshakeSlowly(TlsStream& stream, const Endpoint& server, const std::string& host,
                     uint64_t deadline_ms, const Await& await, FetchReport& report) {
  const std::string what = "TLS with " + ToString(server) + ": ";
  TlsStream::Result result;
  while ((result = stream.Handshake()) == TlsStream::Result::kWouldBlock) {
    if (NowMs() >= deadline_ms) {
      report.Fail(FetchExit::kTimeout, what + "no handshake within the deadline; see --deadline");
      return false;
    }
    await({stream.fd(), stream.events(), 0}, deadline_ms);
  }
  if (result == TlsStream::Result::kDone) return true;
  long verified = SSL_get_verify_result(stream.ssl());
  if (verified != X509_V_OK) {
    report.Fail(FetchExit::kUntrusted, what + "the certificate is not trusted for " + host + ": " +
                                           X509_verify_cert_error_string(verified) +
                                           "; give its authority with --cacert");
  } else {
    report.Fail(FetchExit::kTls, what + stream.error() + "; TLS 1.3 and HTTP/2 are needed");
  }
  return false;
}

bool SpeaksHttp2(const TlsStream& stream) {
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(stream.ssl(), &protocol, &size);
  return std::string_view(reinterpret_cast<const char*>(protocol), size) == "h2";
}

// `stream` is at `server`, before its handshake.
std::optional<HttpsConnection> SecureSlowly(std::unique_ptr<TlsStream> stream,
                                            const Endpoint& server, const std::string& host,
                                            uint64_t deadline_ms, const Await& await,
                                            FetchReport& report) {
  auto client_hello = std::make_unique<KeptClientHello>(stream->ssl());
  if (!HandshakeSlowly(*stream, server, host, deadline_ms, await, report)) return std::nullopt;
  if (!SpeaksHttp2(*stream)) {
    report.Fail(FetchExit::kTls, "TLS with " + ToString(server) +
                                     ": the server does not speak HTTP/2 (ALPN \"h2\")");
    return std::nullopt;
  }
  return HttpsConnection{std::move(stream), std::move(client_hello)};
}

Ssl NewSsl(SSL_CTX* context, const std::string& host, FetchReport& report) {
  Ssl ssl = NewClientSsl(context, host);
  if (ssl == nullptr) {
    report.Fail(FetchExit::kTls, "TLS for " + host + ": set up: " + TakeOpenSslError());
  }
  return ssl;
}

}  // namespace

std::optional<HttpsConnection> ConnectHttpsSlowly(SSL_CTX* context, const Endpoint& server,
                                                  const std::string& host, uint64_t deadline_ms,
                                                  const Await& await, FetchReport& report) {
  std::string error;
  bool timed_out = false;
  Descriptor socket = ConnectSlowly(server, deadline_ms, error, timed_out);
  if (!socket.valid()) {
    report.Fail(timed_out ? FetchExit::kTimeout : FetchExit::kConnect,
                "connect to " + ToString(server) + ": " + error +
                    "; check the address and that the server is running");
    return std::nullopt;
  }
  Ssl ssl = NewSsl(context, host, report);
  if (ssl == nullptr) return std::nullopt;
  return SecureSlowly(std::make_unique<TlsStream>(std::move(socket), std::move(ssl)), server, host,
                      deadline_ms, await, report);
}

std::optional<HttpsConnection> ConnectHttpsSlowly(SSL_CTX* context,
                                                  std::unique_ptr<ByteStream> tunnel,
                                                  const Endpoint& server, uint64_t deadline_ms,
                                                  const Await& await, FetchReport& report) {
  Ssl ssl = NewSsl(context, server.host, report);
  if (ssl == nullptr) return std::nullopt;
  return SecureSlowly(std::make_unique<TlsStream>(std::move(tunnel), std::move(ssl)), server,
                      server.host, deadline_ms, await, report);
}

}  // namespace signet::tools
