#include "client-lib/tools/gateway_http3_connection.h"

#include <signet/gnutls.h>

#include <algorithm>
#include <ostream>
#include <utility>

#include "client-lib/tools/gateway_reply.h"
#include "client-lib/tools/handshake_certificate.h"
#include "client-lib/tools/http3_error.h"
#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {
namespace {

// A client that has missed our last words gets them again for so long.
constexpr uint64_t kLingerMs = 1000;

}  // namespace

GatewayHttp3Connection::GatewayHttp3Connection(EventLoop& loop, const GatewayPolicy& policy,
                                               Upstreams upstreams,
                                               gnutls_certificate_credentials_t credentials,
                                               QuicCarrier& carrier, const Arrival& arrival,
                                               std::function<void()> ended)
    : policy_(policy),
      peer_(ToString(arrival.remote.storage)),
      upstreams_(upstreams),
      ended_(std::move(ended)),
      linger_until_(kNever),
      watch_(loop, [this] { Drive(); }),
      http3_(*this) {
  quic_.emplace(credentials, arrival.header, arrival.local, arrival.remote, policy.idle_timeout_ms,
                carrier, http3_, arrival.original);
  if (policy.handshake_certificate) RequestHandshakeCertificate(quic_->tls());
  if (!policy.server_certificates.empty()) client_hello_.emplace(quic_->tls());
  http3_.Attach(*quic_);
}

void GatewayHttp3Connection::Receive(std::span<const uint8_t> datagram, const SocketAddress& local,
                                     const SocketAddress& remote) {
  quic_->Receive(datagram, local, remote);
  watch_.Wake();
}

void GatewayHttp3Connection::Stop() {
  stopping_ = true;
  if (linger_until_ != kNever) linger_until_ = 0;
  http3_.Shutdown();
  watch_.Wake();
}

bool GatewayHttp3Connection::OnHandshakeComplete() {
  signet_requester_config config{};
  config.size = sizeof config;
  config.http = SIGNET_HTTP3;
  config.code_points = &policy_.code_points_h3;
  if (client_hello_) config.client_hello = client_hello_->bytes();
  signet_requester* requester = nullptr;
  signet_status status = signet_gnutls_tls(quic_->tls(), &config.tls);
  if (status == SIGNET_OK) status = signet_requester_new(&config, &requester);
  client_hello_.reset();
  if (status != SIGNET_OK) {
    quic_->Fail(Http3Connection::kInternalError, signet_status_string(status));
    return false;
  }
  requester_.reset(requester);
  if (!http3_.Start(nullptr, requester)) return false;
  requests_.emplace(policy_, peer_, *requester_, upstreams_, http3_, watch_,
                    HandshakeThumbprint(quic_->tls()));
  return true;
}

void GatewayHttp3Connection::Drive() {
  quic_->Expire();
  if (linger_until_ == kNever && requests_ && quic_->state() == QuicConnection::State::kOpen) {
    Serve();
  }
  quic_->Send();
  if (requests_ && requests_->ResetAnswered()) quic_->Send();
  if (quic_->state() == QuicConnection::State::kClosed) {
    Linger();
    return;
  }
  uint64_t deadline = quic_->deadline_ms();
  if (requests_) {
    deadline = std::min(deadline, requests_->deadline());
    if (!requests_->busy()) deadline = std::min(deadline, IdleDeadline());
  }
  watch_.SetDeadline(deadline);
}

void GatewayHttp3Connection::Serve() {
  const uint64_t now = NowMs();
  if (requests_->busy()) last_busy_ms_ = now;  // until now, even if that is over below
  if (!http3_.Check()) return;
  requests_->SettleTokens();
  // Requests may overtake SETTINGS, which say whether the client takes part.
  if (http3_.peer_settings_received() || requests_->deadline() <= now) {
    requests_->TakeAnswers();
    requests_->Settle(now);
    if (!requests_->AskForMissing()) {
      quic_->Close(Http3Connection::kInternalError, "");
      return;
    }
  }
  requests_->Advance();
  const bool busy = requests_->busy();
  if (busy) last_busy_ms_ = now;
  // A client may be silent while we, or a person, have something to do.
  quic_->KeepAlive(busy);
  if ((stopping_ && requests_->empty()) || (!busy && IdleDeadline() <= now)) {
    quic_->Close(Http3Connection::kNoError, "");
  }
}

void GatewayHttp3Connection::Linger() {
  if (linger_until_ == kNever) {
    linger_until_ = quic_->has_last_words() && !stopping_ ? NowMs() + kLingerMs : 0;
    if (const std::optional<QuicError>& error = quic_->error()) {
      const bool local = error->by == QuicError::By::kLocal;
      *policy_.log << LogLine(peer_,
                              std::string(error->of_application ? "http3" : "quic") +
                                  (local ? ": " : ", says the client: ") +
                                  Http3ErrorName(error->code),
                              error->detail)
                   << std::endl;
    }
    requests_.reset();
  }
  if (NowMs() >= linger_until_) {
    watch_.SetDeadline(kNever);
    ended_();
    return;
  }
  watch_.SetDeadline(linger_until_);
}

// As of HTTP/2: bytes that move count for a request whose head is there.
uint64_t GatewayHttp3Connection::IdleDeadline() const {
  const uint64_t moved =
      requests_->serving() ? quic_->last_progress_ms() : requests_->last_request_ms();
  return std::max(moved, last_busy_ms_) + policy_.idle_timeout_ms;
}

void GatewayHttp3Connection::OnHeader(int64_t id, std::string_view name, std::string_view value) {
  if (requests_) requests_->OnHeader(id, name, value);
}

void GatewayHttp3Connection::OnHeadersComplete(int64_t id, bool last) {
  if (requests_) requests_->OnHeadersComplete(id, last);
}

void GatewayHttp3Connection::OnData(int64_t id, std::span<const uint8_t> data) {
  if (requests_) requests_->OnData(id, data);
}

void GatewayHttp3Connection::OnStreamEnd(int64_t id) {
  if (requests_) requests_->OnStreamEnd(id);
}

void GatewayHttp3Connection::OnStreamClose(int64_t id, uint64_t error_code) {
  if (requests_) requests_->OnStreamClose(id, error_code);
}

}  // namespace signet::tools
