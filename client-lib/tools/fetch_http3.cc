#include "client-lib/tools/fetch_http3.h"

#include <poll.h>
#include <signet/gnutls.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <ostream>
#include <utility>
#include <vector>

#include "client-lib/tools/fetch_session.h"
#include "client-lib/tools/http3_connection.h"
#include "client-lib/tools/http3_error.h"
#include "client-lib/tools/monotonic_clock.h"
#include "client-lib/tools/quic_connection.h"
#include "client-lib/tools/udp_socket.h"

namespace signet::tools {
namespace {

// As of HTTP/2.
constexpr uint64_t kLongestUrl = 10;
constexpr size_t kMaxBody = size_t{64} << 20;
constexpr uint32_t kIdleTimeoutMs = 30000;
constexpr int kDatagramsAtOnce = 64;
constexpr size_t kMaxDatagram = 65536;

class Http3Fetch : public Http3Events, public QuicCarrier {
 public:
  Http3Fetch(const FetchOptions& options, const GnutlsCredentials& credentials, Descriptor socket,
             FetchReport& report)
      : options_(options),
        report_(report),
        socket_(std::move(socket)),
        session_(options, report),
        http3_(*this) {
    quic_.emplace(credentials.get(), options.urls.front().server.host, LocalAddress(socket_),
                  PeerAddress(socket_), kIdleTimeoutMs, *this, http3_);
    http3_.Attach(*quic_);
  }

  // Each returns whether to go on; if not, the report says why.
  bool ConnectSlowly(uint64_t deadline_ms);
  bool FetchUrl(const Url& url);
  void Finish() { quic_->Close(Http3Connection::kNoError, ""); }

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

  bool Submit(const Url& url);
  bool AwaitResponse();
  void StepSlowly(uint64_t wake_ms);
  void Drive();
  bool Ended();
  std::ostream* log() const { return options_.log; }

  const FetchOptions& options_;
  FetchReport& report_;
  Descriptor socket_;
  bool refused_ = false;
  std::optional<QuicConnection> quic_;  // outlives the session, which exports from its TLS
  FetchSession session_;
  Http3Connection http3_;

  // The response that is awaited.
  int64_t stream_ = -1;
  bool ended_ = false;  // all of it is there
  bool closed_ = false;
  uint64_t stream_error_ = 0;
  FetchReport::Response response_;
};

bool Http3Fetch::OnHandshakeComplete() {
  if (log() != nullptr) {
    *log() << "* QUIC, TLS1.3, " << gnutls_ciphersuite_get(quic_->tls())
           << "\n* wire profile: " << ToString(options_.code_points) << '\n';
  }
  signet_tls tls{};
  const signet_status status = signet_gnutls_tls(quic_->tls(), &tls);
  if (!session_.Start(SIGNET_HTTP3, tls, status)) {
    quic_->Fail(Http3Connection::kInternalError, "");
    return false;
  }
  // A person may look at a prompt for longer than QUIC stays silent.
  quic_->KeepAlive(true);
  return http3_.Start(session_.get(), nullptr);
}

bool Http3Fetch::ConnectSlowly(uint64_t deadline_ms) {
  quic_->Send();
  while (quic_->state() == QuicConnection::State::kHandshake && !refused_ &&
         NowMs() < deadline_ms) {
    StepSlowly(deadline_ms);
  }
  if (quic_->state() == QuicConnection::State::kOpen) return true;
  const std::string what =
      "QUIC with " + ToString(options_.connect.value_or(options_.urls.front().server)) + ": ";
  if (refused_ && quic_->state() == QuicConnection::State::kHandshake) {
    report_.Fail(FetchExit::kConnect, what +
                                          "nobody listens there on UDP; check the address and "
                                          "that the server serves HTTP/3");
  } else if (quic_->state() == QuicConnection::State::kHandshake || quic_->timed_out()) {
    report_.Fail(FetchExit::kTimeout, what +
                                          "no handshake within the deadline; does the server "
                                          "listen on UDP, too? See --deadline");
  } else if (const std::string fault = CertificateFault(quic_->tls()); !fault.empty()) {
    report_.Fail(FetchExit::kUntrusted, what + "the certificate is not trusted for " +
                                            options_.urls.front().server.host + ": " + fault +
                                            " Give its authority with --cacert");
  } else {
    report_.Fail(FetchExit::kTls,
                 what + (quic_->error() ? quic_->error()->detail : "the server hung up"));
  }
  return false;
}

bool Http3Fetch::FetchUrl(const Url& url) {
  if (Ended()) return false;
  if (http3_.peer_going_away()) {
    report_.Fail(FetchExit::kHttp3, url.text + ": the server ends the connection (GOAWAY)");
    return false;
  }
  if (log() != nullptr) *log() << "> GET " << url.text << '\n';
  if (!Submit(url) || !AwaitResponse()) return false;
  if (!ended_ || response_.status == 0) {
    report_.Fail(FetchExit::kHttp3, url.text + ": the server gave no whole response (" +
                                        Http3ErrorName(stream_error_) + ")");
    return false;
  }
  if (log() != nullptr) *log() << "< " << response_.status << ' ' << url.text << '\n';
  if (response_.status >= 400) {
    report_.Fail(FetchExit::kStatus,
                 url.text + ": the server answered " + std::to_string(response_.status));
  }
  report_.responses.push_back(std::move(response_));
  return true;
}

bool Http3Fetch::Submit(const Url& url) {
  response_ = {url.text, 0, {}};
  ended_ = closed_ = false;
  stream_error_ = 0;
  stream_ = http3_.Request({{":method", "GET"},
                            {":scheme", "https"},
                            {":authority", url.Authority()},
                            {":path", url.target},
                            {"user-agent", "signet-fetch"},
                            {"accept", "*/*"}});
  if (stream_ >= 0) return true;
  report_.Fail(FetchExit::kHttp3, url.text + ": the server takes no more requests");
  return false;
}

bool Http3Fetch::AwaitResponse() {
  const uint64_t last_moment = NowMs() + kLongestUrl * options_.deadline_ms;
  uint64_t patience = options_.deadline_ms;
  for (;;) {
    const uint64_t before = NowMs();
    // While the server waits for us, only the session's own deadline runs.
    const bool our_turn = session_.outstanding() > 0;
    StepSlowly(std::min(last_moment, our_turn ? kNever : before + patience));
    if (Ended()) return false;
    if (ended_ || closed_) return true;
    const uint64_t now = NowMs();
    if (!our_turn) patience -= std::min(patience, now - before);
    if (patience == 0 || now >= last_moment) {
      report_.Fail(FetchExit::kTimeout,
                   response_.url + ": no whole response within the deadline; see --deadline");
      return false;
    }
  }
}

void Http3Fetch::StepSlowly(uint64_t wake_ms) {
  Drive();
  if (ended_ || closed_ || quic_->state() == QuicConnection::State::kClosed) return;
  const bool open = session_.get() != nullptr;
  std::array<pollfd, 2> waits{pollfd{socket_.get(), POLLIN, 0},
                              open ? session_.agent_wait() : pollfd{-1, 0, 0}};
  wake_ms = std::min(wake_ms, quic_->deadline_ms());
  if (open) wake_ms = std::min<uint64_t>(wake_ms, session_.deadline());
  poll(waits.data(), waits.size(), PollTimeout(wake_ms));
  Drive();
}

void Http3Fetch::Drive() {
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

// Whether the connection is over before its work is done.
bool Http3Fetch::Ended() {
  if (quic_->state() != QuicConnection::State::kClosed) return false;
  if (const std::optional<QuicError>& error = quic_->error()) {
    const bool local = error->by == QuicError::By::kLocal;
    const std::string name = error->of_application ? Http3ErrorName(error->code)
                                                   : "QUIC error " + Http3ErrorName(error->code);
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
  return true;
}

void Http3Fetch::OnHeader(int64_t stream, std::string_view name, std::string_view value) {
  if (stream != stream_ || name != ":status") return;
  std::from_chars(value.data(), value.data() + value.size(), response_.status);
  if (response_.status < 200) response_.status = 0;  // informational
}

void Http3Fetch::OnData(int64_t stream, std::span<const uint8_t> data) {
  http3_.Consume(stream, data.size());
  if (stream != stream_) return;
  const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  if (options_.bodies != nullptr) {
    options_.bodies->write(text.data(), static_cast<std::streamsize>(text.size()));
  } else if (response_.body.size() + text.size() <= kMaxBody) {
    response_.body += text;
  } else {
    report_.Fail(FetchExit::kHttp3, response_.url + ": the body is above 64 MiB; leave out --json");
    closed_ = true;
  }
}

void Http3Fetch::OnStreamEnd(int64_t stream) { ended_ = ended_ || stream == stream_; }

void Http3Fetch::OnStreamClose(int64_t stream, uint64_t error_code) {
  if (stream != stream_) return;
  closed_ = true;
  stream_error_ = error_code;
}

}  // namespace

FetchReport FetchHttp3Slowly(const FetchOptions& options) {
  FetchReport report;
  const Endpoint server = options.connect.value_or(options.urls.front().server);
  const uint64_t deadline_ms = NowMs() + options.deadline_ms;
  std::string error;
  const GnutlsCredentials credentials = NewQuicClientCredentials(options.ca_file, error);
  if (credentials == nullptr) {
    report.Fail(FetchExit::kUsage, error);
    return report;
  }
  bool timed_out = false;
  std::vector<Descriptor> sockets = ConnectUdpSlowly(server, deadline_ms, error, timed_out);
  report.Fail(timed_out ? FetchExit::kTimeout : FetchExit::kConnect,
              "connect to " + ToString(server) + ": " + error + "; check the address");
  for (size_t i = 0; i < sockets.size(); ++i) {
    // Each address has its share of the time.
    const uint64_t now = NowMs();
    const uint64_t left = deadline_ms > now ? deadline_ms - now : 0;
    report = FetchReport();
    Http3Fetch fetch(options, credentials, std::move(sockets[i]), report);
    if (!fetch.ConnectSlowly(now + left / (sockets.size() - i))) {
      if (report.exit == FetchExit::kTimeout || report.exit == FetchExit::kConnect) continue;
      break;
    }
    for (const Url& each : options.urls) {
      if (!fetch.FetchUrl(each)) break;
    }
    fetch.Finish();
    break;
  }
  return report;
}

}  // namespace signet::tools
