// A connection of signet-fetch over HTTP/3.
#ifndef SIGNET_CLIENT_LIB_TOOLS_FETCH_HTTP3_H_
#define SIGNET_CLIENT_LIB_TOOLS_FETCH_HTTP3_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "client-lib/tools/fetch.h"
#include "client-lib/tools/fetch_connection.h"
#include "client-lib/tools/http3_connection.h"
#include "client-lib/tools/kept_client_hello.h"
#include "client-lib/tools/quic_connection.h"
#include "client-lib/tools/quic_tls.h"
#include "client-lib/tools/udp_socket.h"

namespace signet::tools {

class Http3FetchConnection : public FetchConnection, public Http3Events, public QuicCarrier {
 public:
  // To the server `server`, whose host name the certificate must bear, at the peer of `socket`. All
  // references outlive this.
  Http3FetchConnection(const FetchOptions& options, const GnutlsCredentials& credentials,
                       const Endpoint& server, Descriptor socket, FetchReport& report);

  // Blocks until the handshake is complete; `place` is where that is, for messages. False:
  // `failure` says why.
  bool ConnectSlowly(const Endpoint& place, uint64_t deadline_ms, FetchReport& failure);

  bool Request(const Fields& head, bool has_body, FetchStream& stream, std::string& error) override;
  OutgoingBody* BodyOf(const FetchStream& stream) override;
  void Resume(const FetchStream& stream) override;
  void Abandon(const FetchStream& stream) override;
  void Drive() override;
  pollfd wait() const override { return {socket_.get(), POLLIN, 0}; }
  uint64_t deadline_ms() const override;
  bool open() const override { return quic_->state() != QuicConnection::State::kClosed; }
  bool going_away() const override { return http3_.peer_going_away(); }
  bool broken() const override { return quic_->error().has_value(); }
  void ReportEnd() override;
  FetchExit exit_code() const override { return FetchExit::kHttp3; }
  SocketAddress peer() const override { return PeerAddress(socket_); }
  FetchSession& session() override { return session_; }
  void FinishSlowly() override { quic_->Close(Http3Connection::kNoError, ""); }

 private:
  bool OnHandshakeComplete() override;
  void OnHeader(int64_t stream, std::string_view name, std::string_view value) override;
  void OnHeadersComplete(int64_t, bool) override {}
  void OnData(int64_t stream, std::span<const uint8_t> data) override;
  void OnStreamEnd(int64_t stream) override;
  void OnStreamClose(int64_t stream, uint64_t error_code) override;
  void OnSettings() override { session_.NoteNegotiation(); }
  void SendDatagram(std::span<const uint8_t> data, const ngtcp2_path&) override {
    signet::tools::SendDatagram(socket_, data, nullptr, 0);
  }

  struct Exchange {
    FetchStream* stream;  // null: abandoned
    std::unique_ptr<OutgoingBody> body;
  };

  FetchStream* Find(int64_t id) const;
  // -1 = none.
  int64_t IdOf(const FetchStream& stream) const;
  std::ostream* log() const { return options_.log; }

  const FetchOptions& options_;
  FetchReport& report_;
  const Endpoint server_;
  Descriptor socket_;
  bool refused_ = false;
  std::optional<QuicConnection> quic_;  // outlives the session, which exports from its TLS
  std::optional<KeptClientHello> client_hello_;
  gnutls_x509_trust_list_t trust_ = nullptr;  // of the credentials
  FetchSession session_;
  Http3Connection http3_;
  std::map<int64_t, Exchange> exchanges_;  // bodies are read until nghttp3 has closed the stream
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_FETCH_HTTP3_H_
