#include "client-lib/tools/gateway_connection.h"

#include <poll.h>
#include <signet/openssl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ostream>

#include "client-lib/tools/monotonic_clock.h"
#include "client-lib/tools/url.h"

namespace signet::tools {
namespace {

constexpr uint64_t kHandshakeMs = 10000;
// We let the client hang up first: closing on unread bytes would reset the connection and could
// take our last words with it.
constexpr uint64_t kLingerMs = 2000;
constexpr uint32_t kMaxStreams = 100;
constexpr uint32_t kMaxFrameSize = 65536;  // room for chains of post-quantum size
constexpr uint32_t kMaxHeaderBytes = 16384;
constexpr size_t kMaxTarget = 8192;
constexpr size_t kMaxIgnoredBody = 32768;

nghttp2_nv Header(std::string_view name, std::string_view value) {
  auto bytes = [](std::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));  // nghttp2 only reads
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

GatewayConnection::GatewayConnection(EventLoop& loop, TlsStream stream, std::string peer,
                                     const GatewayPolicy& policy, std::function<void()> ended)
    : policy_(policy),
      peer_(std::move(peer)),
      phase_deadline_(NowMs() + kHandshakeMs),
      stream_(std::move(stream)),
      ended_(std::move(ended)),
      watch_(loop, [this] { Drive(); }) {
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
  uint64_t first = kNever;
  for (const auto& [id, stream] : streams_) {
    if (stream.waiting) first = std::min(first, stream.decision->deadline_ms());
  }
  if (first != kNever) return first;
  return std::max(http2_->last_progress_ms(), last_reply_ms_) + policy_.idle_timeout_ms;
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
  signet_requester* requester = nullptr;
  signet_status status = signet_openssl_tls(stream_.ssl(), &config.tls);
  if (status == SIGNET_OK) status = signet_requester_new(&config, &requester);
  if (status != SIGNET_OK) {
    *policy_.log << LogLine(peer_, "tls", signet_status_string(status)) << std::endl;
    return false;
  }
  requester_.reset(requester);
  proofs_.emplace(*requester_, policy_.requirements.kinds());
  signet_nghttp2_init_server(&adapter_, requester_.get());
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kMaxStreams},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, kMaxFrameSize},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kMaxHeaderBytes},
  };
  http2_ =
      std::make_unique<Http2Connection>(stream_, &adapter_, *this, settings, Windows::kAutomatic);
  return true;
}

void GatewayConnection::Serve() {
  http2_->Receive();
  signet_connection_error broken;
  if (signet_requester_error(requester_.get(), &broken) != SIGNET_OK) {
    TakeAnswers();
    SettleWaiting();
    AskForMissing();
  }
  uint64_t now = NowMs();
  if (deadline() <= now) nghttp2_session_terminate_session(http2_->h2(), NGHTTP2_NO_ERROR);
  http2_->Send();
  switch (http2_->state()) {
    case Http2Connection::State::kOpen:
      // A client that does not even take our GOAWAY.
      if (deadline() <= now) End(Phase::kDone);
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
  Stream& stream = streams_[id];
  if (stream.complete) return;                             // trailers
  stream.header_bytes += name.size() + value.size() + 32;  // as RFC 9113 section 6.5.2 counts
  if (name == ":method") stream.method = value.substr(0, 32);
  if (name == ":path") stream.target = value.substr(0, kMaxTarget + 1);
}

void GatewayConnection::OnHeadersComplete(int32_t id) {
  auto found = streams_.find(id);
  if (found == streams_.end() || found->second.complete) return;
  Stream& stream = found->second;
  stream.complete = true;
  stream.arrived_ms = NowMs();
  Decide(id, stream);
}

// No path takes a body. A short one is let in, because some clients take the reset of a request
// that is answered already for a failure of the response.
void GatewayConnection::OnData(int32_t id, std::span<const uint8_t> data) {
  auto found = streams_.find(id);
  if (found == streams_.end()) return;
  found->second.ignored += data.size();
  if (found->second.ignored > kMaxIgnoredBody) {
    nghttp2_submit_rst_stream(http2_->h2(), NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
  }
}

void GatewayConnection::OnStreamClose(int32_t id, uint32_t) { streams_.erase(id); }

// Answers what can be answered at once; the rest waits for certificates.
void GatewayConnection::Decide(int32_t id, Stream& stream) {
  if (stream.header_bytes > kMaxHeaderBytes) {
    Reply(id, stream, ErrorReply(431, {"too-large", "the header fields are above 16384 bytes"}));
    return;
  }
  if (stream.target.size() > kMaxTarget) {
    Reply(id, stream, ErrorReply(414, {"too-large", "the path is above 8192 bytes"}));
    return;
  }
  if (stream.method != "GET" && stream.method != "HEAD") {
    Reply(id, stream, ErrorReply(405, {"method-not-allowed", "use GET or HEAD"}));
    return;
  }
  std::optional<std::string> path = NormalizePath(stream.target);
  if (!path) {
    Reply(id, stream, ErrorReply(400, {"bad-request", "the path is not understood"}));
    return;
  }
  stream.path = *path;
  if (stream.path == "/whoami") {
    Reply(id, stream, WhoAmI());
    return;
  }
  const PathRule& rule = policy_.requirements.For(stream.path);
  if (rule.mode == Mode::kNone) {
    Reply(id, stream, PathReply(stream.path));
    return;
  }
  stream.decision.emplace(rule, *proofs_, policy_.decision_timeout_ms, stream.arrived_ms);
  stream.waiting = true;
}

void GatewayConnection::TakeAnswers() {
  while (std::optional<ConnectionProofs::Answer> answer = proofs_->NextAnswer()) {
    for (auto& [id, stream] : streams_) {
      if (stream.waiting) stream.decision->NoteAnswer(*answer);
    }
  }
}

void GatewayConnection::SettleWaiting() {
  for (auto& [id, stream] : streams_) {
    if (stream.waiting && stream.decision->Settle(NowMs())) {
      Reply(id, stream, ReplyTo(*stream.decision));
    }
  }
}

GatewayReply GatewayConnection::ReplyTo(const AccessDecision& decision) const {
  const PathRule& rule = decision.rule();
  if (!decision.passes()) {
    const Refusal& refusal = decision.missing().front().refusal;
    return rule.without == Without::k401 ? PageReply(rule.path, rule.page, refusal)
                                         : ErrorReply(403, refusal);
  }
  std::vector<ProvedIdentity> proved;
  for (size_t kind : rule.kinds) {
    const std::optional<ClientCertificate>& certificate = proofs_->certificate(kind);
    if (!certificate) continue;
    proved.push_back({&*certificate, policy_.requirements.kinds()[kind].authority.file()});
  }
  return IdentitiesReply(proved);
}

void GatewayConnection::AskForMissing() {
  std::vector<size_t> unasked;
  for (const auto& [id, stream] : streams_) {
    if (!stream.waiting) continue;
    for (size_t kind : stream.decision->Unasked()) {
      if (std::ranges::count(unasked, kind) == 0) unasked.push_back(kind);
    }
  }
  if (!proofs_->Ask(unasked)) {
    nghttp2_session_terminate_session(http2_->h2(), NGHTTP2_INTERNAL_ERROR);
  }
}

GatewayReply GatewayConnection::WhoAmI() const {
  std::vector<ProvedIdentity> proved;
  const std::vector<CertificateKind>& kinds = policy_.requirements.kinds();
  for (size_t i = 0; i < kinds.size(); ++i) {
    const std::optional<ClientCertificate>& certificate = proofs_->certificate(i);
    if (certificate) proved.push_back({&*certificate, kinds[i].authority.file()});
  }
  if (!proved.empty()) return IdentitiesReply(proved);
  return ErrorReply(403, {"no-identity", "nobody has proved an identity on this connection"});
}

void GatewayConnection::Reply(int32_t id, Stream& stream, const GatewayReply& reply) {
  stream.waiting = false;
  stream.body = reply.body;
  const std::string status = std::to_string(reply.status);
  const std::string length = std::to_string(stream.body.size());
  std::vector<nghttp2_nv> headers = {
      Header(":status", status), Header("content-type", reply.content_type),
      Header("content-length", length), Header("cache-control", "no-store")};
  if (reply.status == 405) headers.push_back(Header("allow", "GET, HEAD"));
  if (reply.status == 401) headers.push_back(Header("www-authenticate", reply.challenge));
  nghttp2_data_provider body{};
  body.source.ptr = &stream;
  body.read_callback = [](nghttp2_session*, int32_t, uint8_t* out, size_t capacity, uint32_t* flags,
                          nghttp2_data_source* source, void*) -> ssize_t {
    Stream& sent = *static_cast<Stream*>(source->ptr);
    size_t count = std::min(capacity, sent.body.size() - sent.body_sent);
    memcpy(out, sent.body.data() + sent.body_sent, count);
    sent.body_sent += count;
    if (sent.body_sent == sent.body.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  };
  nghttp2_submit_response(http2_->h2(), id, headers.data(), headers.size(),
                          stream.method == "HEAD" ? nullptr : &body);
  last_reply_ms_ = NowMs();
  RequestRecord record{peer_, stream.method, stream.path, last_reply_ms_ - stream.arrived_ms};
  *policy_.log << LogLine(record, reply) << std::endl;
}

}  // namespace signet::tools
