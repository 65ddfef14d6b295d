#include <poll.h>
#include <signet/gnutls.h>

#include <optional>
#include <stdexcept>
#include <vector>

#include "client-lib/tools/http3_connection.h"
#include "client-lib/tools/monotonic_clock.h"
#include "client-lib/tools/quic_connection.h"
#include "tests/bench/http_pair.h"
#include "tests/bench/libsignet_client.h"
#include "tests/support/quic_pair.h"

namespace signet::bench {
namespace {

using tools::Http3Connection;
using tools::QuicConnection;
using tools::SocketAddress;

constexpr uint64_t kPatienceMs = 10000;
constexpr uint32_t kIdleTimeoutMs = 60000;
const std::string kHost = "localhost";

void Check(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("HTTP/3: ") + what);
}

class End : public tools::Http3Events, public tools::QuicCarrier {
 public:
  // `origin` is empty on a server.
  End(const std::string& origin, bool with_libsignet)
      : origin_(origin), with_libsignet_(with_libsignet) {}

  bool OnHandshakeComplete() override {
    if (with_libsignet_ && !origin_.empty()) MakeSession();
    if (with_libsignet_ && origin_.empty()) MakeRequester();
    if (!http3.Start(session.get(), requester.get())) return false;
    if (!origin_.empty()) {
      http3.Request(
          {{":method", "GET"}, {":scheme", "https"}, {":authority", kHost}, {":path", "/"}});
    }
    return true;
  }
  void OnHeader(int64_t, std::string_view, std::string_view) override {}
  void OnHeadersComplete(int64_t stream, bool) override {
    if (origin_.empty()) http3.Respond(stream, 200, {}, nullptr);
  }
  void OnData(int64_t, std::span<const uint8_t>) override {}
  void OnStreamEnd(int64_t) override { done = true; }
  void OnStreamClose(int64_t, uint64_t) override {}
  void SendDatagram(std::span<const uint8_t> data, const ngtcp2_path&) override {
    sent.emplace_back(data.begin(), data.end());
  }

  std::vector<std::vector<uint8_t>> sent;
  std::optional<QuicConnection> quic;
  SessionPtr session;
  RequesterPtr requester;
  Http3Connection http3{*this};
  bool done = false;  // the client's one request; by then SETTINGS are there

 private:
  void MakeSession() {
    signet_session_config config{};
    config.size = sizeof config;
    config.http = SIGNET_HTTP3;
    config.origin = origin_.c_str();
    signet_session* made = nullptr;
    Check(signet_gnutls_tls(quic->tls(), &config.tls) == SIGNET_OK &&
              signet_session_new(&config, &made) == SIGNET_OK,
          "session");
    session.reset(made);
  }
  void MakeRequester() {
    signet_requester_config config{};
    config.size = sizeof config;
    config.http = SIGNET_HTTP3;
    signet_requester* made = nullptr;
    Check(signet_gnutls_tls(quic->tls(), &config.tls) == SIGNET_OK &&
              signet_requester_new(&config, &made) == SIGNET_OK,
          "requester");
    requester.reset(made);
  }

  const std::string origin_;
  const bool with_libsignet_;
};

class Pair : public HttpPair {
 public:
  Pair(gnutls_certificate_credentials_t client, gnutls_certificate_credentials_t server,
       const std::string& origin, bool with_libsignet)
      : server_credentials_(server), client_(origin, with_libsignet), server_("", with_libsignet) {
    client_.quic.emplace(client, kHost, client_address_, server_address_, kIdleTimeoutMs, client_,
                         client_.http3);
    client_.http3.Attach(*client_.quic);
    const uint64_t end = tools::NowMs() + kPatienceMs;
    while (!client_.done && tools::NowMs() < end) {
      const bool moved = ClientSends();
      ServerTakes();
      if (server_.quic) ServerSends();
      ClientTakes();
      if (!moved) poll(nullptr, 0, 1);  // QUIC wants a moment
    }
    Check(client_.done, "handshake");
  }
  signet_session* session() override { return client_.session.get(); }
  signet_requester* requester() override { return server_.requester.get(); }
  bool ServerSends() override {
    Send(server_);
    return !server_.sent.empty();
  }
  void ClientTakes() override {
    for (const auto& each : std::exchange(server_.sent, {})) {
      client_.quic->Receive(each, client_address_, server_address_);
    }
  }
  bool ClientSends() override {
    Send(client_);
    return !client_.sent.empty();
  }
  void ServerTakes() override {
    for (const auto& each : std::exchange(client_.sent, {})) {
      if (!server_.quic) Accept(each);
      server_.quic->Receive(each, server_address_, client_address_);
    }
  }

 private:
  static void Send(End& end) {
    end.quic->Expire();
    end.quic->Send();
  }
  void Accept(const std::vector<uint8_t>& datagram) {
    ngtcp2_pkt_hd header{};
    Check(ngtcp2_accept(&header, datagram.data(), datagram.size()) == 0, "first datagram");
    server_.quic.emplace(server_credentials_, header, server_address_, client_address_,
                         kIdleTimeoutMs, server_, server_.http3);
    server_.http3.Attach(*server_.quic);
  }

  const gnutls_certificate_credentials_t server_credentials_;
  const SocketAddress client_address_ = test::LoopbackAddress(1111),
                      server_address_ = test::LoopbackAddress(2222);
  End client_, server_;
};

class Pairs : public HttpPairs {
 public:
  explicit Pairs(std::string origin) : origin_(std::move(origin)) {}
  std::unique_ptr<HttpPair> New(bool with_libsignet) override {
    return std::make_unique<Pair>(credentials_.client.get(), credentials_.server.get(), origin_,
                                  with_libsignet);
  }

 private:
  const std::string origin_;
  const test::LocalhostCredentials credentials_;
};

}  // namespace

std::unique_ptr<HttpPairs> NewHttp3Pairs(const std::string& origin) {
  return std::make_unique<Pairs>(origin);
}

}  // namespace signet::bench
