#include "client-lib/tools/fetch_http3.h"

#include <poll.h>
#include <signet/gnutls.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <utility>

#include "client-lib/tools/http3_error.h"
#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {
namespace {

constexpr uint32_t kIdleTimeoutMs = 30000;
constexpr int kDatagramsAtOnce = 64;
constexpr size_t kMaxDatagram = 65536;
constexpr uint64_t kRequestCancelled = 0x10c;  // H3_REQUEST_CANCELLED

}  // namespace

Http3FetchConnection::Http3FetchConnection(const FetchOptions& options,
                                           const GnutlsCredentials& credentials,
                                           const Endpoint& server, Descriptor socket,
                                           FetchReport& report)
    : options_(options),
      report_(report),
      server_(server),
      socket_(std::move(socket)),
      session_(options, report),
      http3_(*this) {
  quic_.emplace(credentials.get(), server_.host, LocalAddress(socket_), PeerAddress(socket_),
                kIdleTimeoutMs, *this, http3_);
  client_hello_.emplace(quic_->tls());
  gnutls_certificate_get_trust_list(credentials.get(), &trust_);
  http3_.Attach(*quic_);
}

bool Http3FetchConnection::OnHandshakeComplete() {
  if (log() != nullptr) {
    *log() << "* QUIC, TLS1.3, " << gnutls_ciphersuite_get(quic_->tls())
           << "\n* wire profile: " << ToString(options_.code_points) << '\n';
  }
  signet_session_config config{};
  config.http = SIGNET_HTTP3;
  config.client_hello = client_hello_->bytes();
  config.verify_server_chain = signet_gnutls_check_server_chain;
  config.covers_host = signet_gnutls_covers_host;
  config.server_names = signet_gnutls_server_names;
  config.server_user = trust_;
  const signet_status status = signet_gnutls_tls(quic_->tls(), &config.tls);
  if (!session_.Start(config, "https://" + ToString(server_), status)) {
    quic_->Fail(Http3Connection::kInternalError, "");
    return false;
  }
  client_hello_.reset();
  // A person may look at a prompt for longer than QUIC stays silent.
  quic_->KeepAlive(true);
  return http3_.Start(session_.get(), nullptr);
}

bool Http3FetchConnection::ConnectSlowly(const Endpoint& place, uint64_t deadline_ms,
                                         FetchReport& failure) {
  using State = QuicConnection::State;
  quic_->Send();
  Drive();
  while (quic_->state() == State::kHandshake && !refused_ && NowMs() < deadline_ms) {
    pollfd socket = wait();
    poll(&socket, 1, PollTimeout(std::min(deadline_ms, quic_->deadline_ms())));
    Drive();
  }
  if (quic_->state() == State::kOpen) return true;
  const std::string what = "QUIC with " + ToString(place) + ": ";
  if (refused_ && quic_->state() == State::kHandshake) {
    failure.Fail(FetchExit::kConnect, what +
                                          "nobody listens there on UDP; check the address and "
                                          "that the server serves HTTP/3");
  } else if (quic_->state() == State::kHandshake || quic_->timed_out()) {
    failure.Fail(FetchExit::kTimeout, what +
                                          "no handshake within the deadline; does the server "
                                          "listen on UDP, too? See --deadline");
  } else if (const std::string fault = CertificateFault(quic_->tls()); !fault.empty()) {
    failure.Fail(FetchExit::kUntrusted, what + "the certificate is not trusted for " +
                                            server_.host + ": " + fault +
                                            " Give its authority with --cacert");
  } else {
    failure.Fail(FetchExit::kTls,
                 what + (quic_->error() ? quic_->error()->detail : "the server hung up"));
  }
  return false;
}

bool Http3FetchConnection::Request(const Fields& head, bool has_body, FetchStream& stream,
                                   std::string& error) {
  auto body = std::make_unique<OutgoingBody>();
  const int64_t id = http3_.Request(head, has_body ? body.get() : nullptr);
  if (id >= 0) {
    exchanges_[id] = {&stream, std::move(body)};
  } else {
    error = "the server takes no more requests";
  }
  return id >= 0;
}

FetchStream* Http3FetchConnection::Find(int64_t id) const {
  auto found = exchanges_.find(id);
  return found == exchanges_.end() ? nullptr : found->second.stream;
}

int64_t Http3FetchConnection::IdOf(const FetchStream& stream) const {
  for (const auto& [id, exchange] : exchanges_) {
    if (exchange.stream == &stream) return id;
  }
  return -1;
}

OutgoingBody* Http3FetchConnection::BodyOf(const FetchStream& stream) {
  auto found = exchanges_.find(IdOf(stream));
  return found == exchanges_.end() ? nullptr : found->second.body.get();
}

void Http3FetchConnection::Resume(const FetchStream& stream) {
  if (OutgoingBody* body = BodyOf(stream)) http3_.Resume(IdOf(stream), *body);
}

void Http3FetchConnection::Abandon(const FetchStream& stream) {
  const int64_t id = IdOf(stream);
  if (id < 0) return;
  exchanges_.at(id).stream = nullptr;
  ngtcp2_conn_shutdown_stream(quic_->quic(), id, kRequestCancelled);
}

void Http3FetchConnection::Drive() {
  std::array<uint8_t, kMaxDatagram> datagram;
  SocketAddress from;
  for (int i = 0; i < kDatagramsAtOnce; ++i) {
    const std::optional<size_t> size = ReceiveDatagram(socket_, datagram, from, refused_);
    if (!size) break;
    quic_->Receive({datagram.data(), *size}, LocalAddress(socket_), from);
  }
  quic_->Expire();
  if (session_.get() != nullptr) {
    session_.Advance();
    http3_.Check();
  }
  quic_->Send();
  if (session_.get() != nullptr) session_.TakeEvents();
}

uint64_t Http3FetchConnection::deadline_ms() const {
  const uint64_t quic = quic_->deadline_ms();
  return session_.get() == nullptr ? quic : std::min<uint64_t>(quic, session_.deadline());
}

void Http3FetchConnection::ReportEnd() {
  if (const std::optional<QuicError>& error = quic_->error()) {
    const bool local = error->by == QuicError::By::kLocal;
    signet_connection_error ours{};
    const bool is_ours = local && session_.get() != nullptr &&
                         signet_session_error(session_.get(), &ours) == SIGNET_OK &&
                         ours.code == error->code;
    const std::string name = !error->of_application ? "QUIC error " + Http3ErrorName(error->code)
                             : is_ours              ? ours.name
                                                    : Http3ErrorName(error->code);
    report_.connection_error = Http2Error{local ? Http2Error::By::kLocal : Http2Error::By::kPeer,
                                          error->code, name, error->detail};
    report_.Fail(FetchExit::kHttp3,
                 std::string("HTTP/3: ") +
                     (local ? "the server broke a rule: " : "the server reports an error: ") +
                     name + (error->detail.empty() ? "" : ": " + error->detail));
  } else if (quic_->timed_out()) {
    report_.Fail(FetchExit::kTimeout, "HTTP/3: nothing more came from the server");
  } else {
    report_.Fail(FetchExit::kHttp3, "HTTP/3: the server closed the connection");
  }
}

void Http3FetchConnection::OnHeader(int64_t stream, std::string_view name, std::string_view value) {
  if (FetchStream* found = Find(stream)) found->OnHeader(name, value);
}

void Http3FetchConnection::OnData(int64_t stream, std::span<const uint8_t> data) {
  http3_.Consume(stream, data.size());
  if (FetchStream* found = Find(stream)) found->OnData(data);
}

void Http3FetchConnection::OnStreamEnd(int64_t stream) {
  if (FetchStream* found = Find(stream)) found->OnEnd();
}

void Http3FetchConnection::OnStreamClose(int64_t stream, uint64_t error_code) {
  if (FetchStream* found = Find(stream)) found->OnClose(error_code, Http3ErrorName(error_code));
  exchanges_.erase(stream);
}

}  // namespace signet::tools
