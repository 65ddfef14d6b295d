// What a connection that is never asked costs in memory. The HTTP library is left out, because its
// own memory is not the same twice: its SETTINGS are here as it would write them.
#include <malloc.h>
#include <signet/nghttp2.h>
#include <signet/nghttp3.h>
#include <signet/openssl.h>

#include <stdexcept>
#include <vector>

#include "tests/bench/http_pair.h"
#include "tests/bench/libsignet_client.h"
#include "tests/bench/workload.h"

namespace signet::bench {
namespace {

constexpr size_t kConnections = 500;
constexpr uint8_t kHttp3Head[] = {0x00, 0x04, 0x03, 0x06, 0x40, 0x64};  // control stream, SETTINGS

void Check(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("heap: ") + what);
}

struct FreeHttp3 {
  void operator()(signet_http3* http3) const { signet_http3_free(http3); }
};
using Http3Ptr = std::unique_ptr<signet_http3, FreeHttp3>;

struct Client {
  SessionPtr session;
  Http3Ptr http3;
};
struct Server {
  RequesterPtr requester;
  Http3Ptr http3;
};

Client NewClient(signet_http http, const signet_tls& tls) {
  signet_session_config config{};
  config.size = sizeof config;
  config.http = http;
  config.tls = tls;
  config.origin = "https://nobody-asks.test";
  signet_session* session = nullptr;
  signet_http3* http3 = nullptr;
  Check(signet_session_new(&config, &session) == SIGNET_OK, "session");
  if (http == SIGNET_HTTP3) {
    Check(signet_http3_new_client(session, &http3) == SIGNET_OK, "control stream");
  }
  return {SessionPtr(session), Http3Ptr(http3)};
}

Server NewServer(signet_http http, const signet_tls& tls) {
  signet_requester_config config{};
  config.size = sizeof config;
  config.http = http;
  config.tls = tls;
  signet_requester* requester = nullptr;
  signet_http3* http3 = nullptr;
  Check(signet_requester_new(&config, &requester) == SIGNET_OK, "requester");
  if (http == SIGNET_HTTP3) {
    Check(signet_http3_new_server(requester, &http3) == SIGNET_OK, "control stream");
  }
  return {RequesterPtr(requester), Http3Ptr(http3)};
}

// SETTINGS from one to the other, acknowledged.
void Tell(signet_http3* from, signet_http3* to, uint64_t stream) {
  Check(signet_http3_write(from, kHttp3Head, sizeof kHttp3Head) == SIGNET_OK, "SETTINGS");
  const signet_bytes output = signet_http3_output(from);
  uint64_t of_stack = 0;
  Check(signet_http3_receive(to, stream, output.data, output.size, 0) == SIGNET_OK &&
            signet_http3_sent(from, output.size) == SIGNET_OK &&
            signet_http3_acknowledged(from, output.size, &of_stack) == SIGNET_OK,
        "control stream");
}

void Negotiate(const Client& client, const Server& server) {
  if (client.http3) {
    Tell(client.http3.get(), server.http3.get(), 2);
    Tell(server.http3.get(), client.http3.get(), 3);
  } else {
    signet_setting setting{};
    signet_requester_settings(server.requester.get(), &setting, 1);
    signet_session_peer_setting(client.session.get(), setting.id, setting.value);
    signet_session_peer_settings_done(client.session.get());
    signet_session_settings(client.session.get(), &setting, 1);
    signet_requester_peer_setting(server.requester.get(), setting.id, setting.value);
  }
  Check(signet_session_negotiated(client.session.get()) &&
            signet_requester_available(server.requester.get()) > 0,
        "they have not negotiated");
}

template <typename Ends>
size_t FreedFor(Ends& ends) {
  const size_t before = mallinfo2().uordblks;
  for (auto& each : ends) {
    each.http3.reset();
    each = {};
  }
  return (before - mallinfo2().uordblks) / ends.size();
}

}  // namespace

ConnectionHeap HeapOfConnection(const std::string& http) {
  const bool http3 = http == "http3";
  const test::TlsPair tls;
  signet_tls client_tls{}, server_tls{};
  Check(signet_openssl_tls(tls.client(), &client_tls) == SIGNET_OK &&
            signet_openssl_tls(tls.server(), &server_tls) == SIGNET_OK,
        "TLS");
  std::vector<Client> clients(kConnections);
  std::vector<Server> servers(kConnections);
  for (size_t i = 0; i < kConnections; ++i) {
    clients[i] = NewClient(http3 ? SIGNET_HTTP3 : SIGNET_HTTP2, client_tls);
    servers[i] = NewServer(http3 ? SIGNET_HTTP3 : SIGNET_HTTP2, server_tls);
    Negotiate(clients[i], servers[i]);
  }
  const size_t adapter = http3 ? sizeof(signet_nghttp3) : sizeof(signet_nghttp2);
  const size_t client = FreedFor(clients);
  return {client + adapter, FreedFor(servers) + adapter};
}

}  // namespace signet::bench
