#include "client-lib/tools/gateway_connection.h"

#include <poll.h>
#include <signet/openssl.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <vector>

#include "client-lib/tools/gateway_reply.h"
#include "client-lib/tools/handshake_certificate.h"
#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {
namespace {

constexpr uint64_t kHandshakeMs = 10000;
// We let the client hang up first: closing on unread bytes would reset the connection and could
// take our last words with it.
constexpr uint64_t kLingerMs = 2000;
constexpr uint32_t kMaxStreams = 100;
constexpr uint32_t kMaxFrameSize = 65536;  // room for chains of post-quantum size
// After the first GOAWAY, which closes no door yet, requests that were on their way arrive: until
// the client has answered a PING, or so long (RFC 9113 section 6.8).
constexpr uint64_t kLastGoawayMs = 5000;

}  // namespace

GatewayConnection::GatewayConnection(EventLoop& loop, TlsStream stream, std::string peer,
                                     const GatewayPolicy& policy, Upstreams upstreams,
                                     std::function<void()> ended)
    : policy_(policy),
      peer_(std::move(peer)),
      phase_deadline_(NowMs() + kHandshakeMs),
      goaway_ms_(kNever),
      stream_(std::move(stream)),
      upstreams_(upstreams),
      ended_(std::move(ended)),
      watch_(loop, [this] { Drive(); }) {
  if (!policy.server_certificates.empty()) client_hello_.emplace(stream_.ssl());
  watch_.SetEvents(stream_.fd(), POLLIN);
  watch_.SetDeadline(phase_deadline_);
}

short GatewayConnection::events() const {
  if (phase_ == Phase::kOpen) return http2_->events();
  if (phase_ == Phase::kHandshake && stream_.events() != 0) return stream_.events();
  return POLLIN;
}

uint64_t GatewayConnection::deadline() const {
  if (phase_ != Phase::kOpen) return phase_deadline_;
  const uint64_t first = std::min(goaway_ms_, requests_->deadline());
  // A backend that is waited for has a time limit of its own.
  return requests_->busy() ? first : std::min(first, IdleDeadline());
}

uint64_t GatewayConnection::IdleDeadline() const {
  // Bytes that move count for a request whose head is there: by a head in drips, by PING or by
  // frames that nobody knows a client would hold its place for ever.
  const uint64_t moved =
      requests_->serving() ? http2_->last_progress_ms() : requests_->last_request_ms();
  return std::max(moved, last_busy_ms_) + policy_.idle_timeout_ms;
}

void GatewayConnection::Drive() {
  if (phase_ == Phase::kHandshake) Handshake();
  if (phase_ == Phase::kOpen) Serve();
  if (phase_ == Phase::kLingering) Linger();
  if (phase_ == Phase::kDone) {
    watch_.SetEvents(-1, 0);
    watch_.SetDeadline(kNever);
    ended_();
    return;
  }
  watch_.SetEvents(stream_.fd(), events());
  watch_.SetDeadline(deadline());
}

void GatewayConnection::Stop() {
  watch_.Wake();
  if (phase_ == Phase::kHandshake) phase_ = Phase::kDone;
  if (phase_ != Phase::kOpen) return;
  nghttp2_submit_shutdown_notice(http2_->h2());
  nghttp2_submit_ping(http2_->h2(), NGHTTP2_FLAG_NONE, nullptr);
  goaway_ms_ = NowMs() + kLastGoawayMs;
}

void GatewayConnection::OnPong() {
  if (goaway_ms_ != kNever) SendLastGoaway();
}

void GatewayConnection::SendLastGoaway() {
  goaway_ms_ = kNever;
  nghttp2_submit_goaway(http2_->h2(), NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(http2_->h2()), NGHTTP2_NO_ERROR,
                        nullptr, 0);
}

void GatewayConnection::Handshake() {
  TlsStream::Result result = stream_.Handshake();
  if (result == TlsStream::Result::kDone) {
    phase_ = StartHttp2() ? Phase::kOpen : Phase::kDone;
  } else if (result != TlsStream::Result::kWouldBlock) {
    if (!stream_.error().empty()) {
      *policy_.log << LogLine(peer_, "tls", stream_.error()) << std::endl;
    }
    phase_ = Phase::kDone;
  } else if (NowMs() >= phase_deadline_) {
    phase_ = Phase::kDone;
  }
}

bool GatewayConnection::StartHttp2() {
  // nghttp2 would speak HTTP/2 to a client that has not offered it.
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(stream_.ssl(), &protocol, &size);
  if (size == 0) {
    *policy_.log << LogLine(peer_, "tls", "the client does not offer HTTP/2 (ALPN)") << std::endl;
    return false;
  }
  signet_requester_config config{};
  config.size = sizeof config;
  config.http = SIGNET_HTTP2;
  config.code_points = &policy_.code_points;
  if (client_hello_) config.client_hello = client_hello_->bytes();
  signet_requester* requester = nullptr;
  signet_status status = signet_openssl_tls(stream_.ssl(), &config.tls);
  if (status == SIGNET_OK) status = signet_requester_new(&config, &requester);
  client_hello_.reset();
  if (status != SIGNET_OK) {
    *policy_.log << LogLine(peer_, "tls", signet_status_string(status)) << std::endl;
    return false;
  }
  requester_.reset(requester);
  signet_nghttp2_init_server(&adapter_, requester_.get());
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kMaxStreams},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, kMaxFrameSize},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, GatewayStream::kMaxHeaderBytes},
  };
  http2_ = std::make_unique<Http2Connection>(stream_, &adapter_, *this, settings, Windows::kManual);
  streams_.emplace(http2_->h2(), adapter_, policy_.alt_svc);
  requests_.emplace(policy_, peer_, *requester_, upstreams_, *streams_, watch_,
                    HandshakeThumbprint(stream_.ssl()));
  return true;
}

void GatewayConnection::Serve() {
  uint64_t now = NowMs();
  if (requests_->busy()) last_busy_ms_ = now;  // until now, even if that is over below
  http2_->Receive();
  signet_connection_error broken;
  if (signet_requester_error(requester_.get(), &broken) != SIGNET_OK) {
    requests_->TakeAnswers();
    requests_->SettleTokens();
    requests_->Settle(now);
    if (!requests_->AskForMissing()) {
      nghttp2_session_terminate_session(http2_->h2(), NGHTTP2_INTERNAL_ERROR);
    }
  }
  requests_->Advance();
  if (goaway_ms_ <= now) SendLastGoaway();
  if (requests_->busy()) last_busy_ms_ = now;
  if (!requests_->busy() && IdleDeadline() <= now) {
    nghttp2_session_terminate_session(http2_->h2(), NGHTTP2_NO_ERROR);
  }
  http2_->Send();
  if (requests_->ResetAnswered()) http2_->Send();
  switch (http2_->state()) {
    case Http2Connection::State::kOpen:
      // A client that does not even take our GOAWAY.
      if (!requests_->busy() && IdleDeadline() <= now) End(Phase::kDone);
      return;
    case Http2Connection::State::kFinished:
      End(Phase::kLingering);
      return;
    case Http2Connection::State::kClosed:
    case Http2Connection::State::kFailed:
      End(Phase::kDone);
      return;
  }
}

void GatewayConnection::End(Phase phase) {
  if (const std::optional<Http2Error>& error = http2_->error()) {
    bool local = error->by == Http2Error::By::kLocal;
    *policy_.log << LogLine(peer_, (local ? "http2: " : "http2, says the client: ") + error->name,
                            error->detail)
                 << std::endl;
  }
  stream_.CloseWrite();
  phase_ = phase;
  phase_deadline_ = NowMs() + kLingerMs;
}

void GatewayConnection::Linger() {
  std::array<uint8_t, TlsStream::kMaxRecord> ignored;
  size_t count = 0;
  if (NowMs() >= phase_deadline_) phase_ = Phase::kDone;
  // One record at a time: a client that goes on talking must not keep others waiting.
  TlsStream::Result result = stream_.Read(ignored, count);
  if (result == TlsStream::Result::kClosed || result == TlsStream::Result::kFailed) {
    phase_ = Phase::kDone;
  }
}

void GatewayConnection::OnHeader(int32_t id, std::string_view name, std::string_view value) {
  requests_->OnHeader(id, name, value);
}

void GatewayConnection::OnHeadersComplete(int32_t id, bool last) {
  requests_->OnHeadersComplete(id, last);
}

void GatewayConnection::OnData(int32_t id, std::span<const uint8_t> data) {
  nghttp2_session_consume_connection(http2_->h2(), data.size());
  requests_->OnData(id, data);
}

void GatewayConnection::OnStreamEnd(int32_t id) { requests_->OnStreamEnd(id); }

void GatewayConnection::OnStreamClose(int32_t id, uint32_t error_code) {
  requests_->OnStreamClose(id, error_code);
}

}  // namespace signet::tools
