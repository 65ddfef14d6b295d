#include "client-lib/tools/fetch.h"

#include <poll.h>
#include <signet/openssl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <ostream>

#include "client-lib/tools/fetch_http3.h"
#include "client-lib/tools/fetch_session.h"
#include "client-lib/tools/http2_connection.h"
#include "client-lib/tools/https_connect.h"
#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {
namespace {

// A server that asks without end can't hold one URL for longer than so many deadlines.
constexpr uint64_t kLongestUrl = 10;
// Of one body that goes into the report.
constexpr size_t kMaxBody = size_t{64} << 20;
// After an error we let the server hang up first: closing with unread bytes would reset the
// connection and could take our GOAWAY with it.
constexpr uint64_t kLingerMs = 1000;

class Fetch : public Http2Events {
 public:
  Fetch(const FetchOptions& options, TlsStream stream, FetchReport& report)
      : options_(options), report_(report), stream_(std::move(stream)), session_(options, report) {}

  // Each returns whether to go on; if not, the report says why.
  bool Start();
  bool FetchUrl(const Url& url);
  void Finish();

 private:
  void OnHeader(int32_t stream, std::string_view name, std::string_view value) override;
  void OnHeadersComplete(int32_t, bool) override {}
  void OnData(int32_t stream, std::span<const uint8_t> data) override;
  void OnStreamClose(int32_t stream, uint32_t error_code) override;
  void OnSettings(std::span<const nghttp2_settings_entry> settings) override;

  bool Submit(const Url& url);
  bool AwaitResponse();
  // Waits for the server, the agent or `wake_ms`, and moves everything on.
  void StepSlowly(uint64_t wake_ms);
  void AwaitSocket(uint64_t wake_ms);
  void Drive();
  bool Ended();
  std::ostream* log() const { return options_.log; }

  const FetchOptions& options_;
  FetchReport& report_;
  TlsStream stream_;
  FetchSession session_;
  signet_nghttp2 adapter_{};
  std::unique_ptr<Http2Connection> http2_;

  // The response that is awaited.
  int32_t stream_id_ = 0;
  bool stream_closed_ = false;
  uint32_t stream_error_ = 0;
  FetchReport::Response response_;
};

bool Fetch::Start() {
  if (log() != nullptr) {
    *log() << "* " << SSL_get_version(stream_.ssl()) << ", " << SSL_get_cipher_name(stream_.ssl())
           << "\n* wire profile: " << ToString(options_.code_points) << '\n';
  }
  signet_tls tls{};
  const signet_status status = signet_openssl_tls(stream_.ssl(), &tls);
  if (!session_.Start(SIGNET_HTTP2, tls, status)) return false;
  signet_nghttp2_init_client(&adapter_, session_.get());
  const nghttp2_settings_entry no_push[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
  http2_ =
      std::make_unique<Http2Connection>(stream_, &adapter_, *this, no_push, Windows::kAutomatic);
  return true;
}

bool Fetch::FetchUrl(const Url& url) {
  if (Ended()) return false;
  if (http2_->peer_going_away()) {
    report_.Fail(FetchExit::kHttp2, url.text + ": the server ends the connection (GOAWAY)");
    return false;
  }
  if (log() != nullptr) *log() << "> GET " << url.text << '\n';
  if (!Submit(url) || !AwaitResponse()) return false;
  if (stream_error_ != NGHTTP2_NO_ERROR || response_.status == 0) {
    report_.Fail(FetchExit::kHttp2, url.text + ": the server gave no whole response (" +
                                        nghttp2_http2_strerror(stream_error_) + ")");
    return false;
  }
  if (log() != nullptr) *log() << "< " << response_.status << ' ' << url.text << '\n';
  if (response_.status >= 400) {
    std::string why = url.text + ": the server answered " + std::to_string(response_.status);
    // A person who waits for a question must know that none can come.
    if (!report_.negotiated) {
      why += "; it can't ask for certificates (it does not speak the extension), so none was shown";
    }
    report_.Fail(FetchExit::kStatus, why);
  }
  report_.responses.push_back(std::move(response_));
  return true;
}

bool Fetch::Submit(const Url& url) {
  std::string authority = url.Authority();
  auto pair = [](std::string_view name, std::string_view value) {
    auto bytes = [](std::string_view text) {
      return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
    };
    return nghttp2_nv{bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
  };
  const nghttp2_nv headers[] = {
      pair(":method", "GET"),    pair(":scheme", "https"),           pair(":authority", authority),
      pair(":path", url.target), pair("user-agent", "signet-fetch"), pair("accept", "*/*"),
  };
  response_ = {url.text, 0, {}};
  stream_closed_ = false;
  stream_error_ = NGHTTP2_NO_ERROR;
  stream_id_ =
      nghttp2_submit_request(http2_->h2(), nullptr, headers, std::size(headers), nullptr, nullptr);
  if (stream_id_ > 0) return true;
  report_.Fail(FetchExit::kHttp2, url.text + ": send: " + nghttp2_strerror(stream_id_));
  return false;
}

bool Fetch::AwaitResponse() {
  const uint64_t last_moment = NowMs() + kLongestUrl * options_.deadline_ms;
  uint64_t patience = options_.deadline_ms;
  for (;;) {
    uint64_t before = NowMs();
    // While the server waits for us, only the session's own deadline runs.
    bool our_turn = session_.outstanding() > 0;
    StepSlowly(std::min(last_moment, our_turn ? kNever : before + patience));
    if (stream_closed_ && !http2_->error()) return true;
    if (Ended()) return false;
    uint64_t now = NowMs();
    if (!our_turn) patience -= std::min(patience, now - before);
    if (patience == 0 || now >= last_moment) {
      report_.Fail(FetchExit::kTimeout,
                   response_.url + ": no whole response within the deadline; see --deadline");
      return false;
    }
  }
}

void Fetch::StepSlowly(uint64_t wake_ms) {
  Drive();
  if (stream_closed_ || http2_->state() != Http2Connection::State::kOpen) return;
  std::array<pollfd, 2> waits{pollfd{stream_.fd(), http2_->events(), 0}, session_.agent_wait()};
  wake_ms = std::min<uint64_t>(wake_ms, session_.deadline());
  poll(waits.data(), waits.size(), PollTimeout(wake_ms));
  Drive();
}

void Fetch::Drive() {
  http2_->Receive();
  session_.Advance();
  http2_->Send();
  session_.TakeEvents();
}

// Whether the connection is over before its work is done.
bool Fetch::Ended() {
  using State = Http2Connection::State;
  if (http2_->error()) {
    report_.connection_error = http2_->error();
    const Http2Error& error = *http2_->error();
    report_.Fail(FetchExit::kHttp2,
                 std::string("HTTP/2: ") +
                     (error.by == Http2Error::By::kLocal ? "the server broke a rule: "
                                                         : "the server reports an error: ") +
                     error.name + (error.detail.empty() ? "" : ": " + error.detail));
  } else if (http2_->state() == State::kFailed) {
    report_.Fail(FetchExit::kTls, "TLS: " + http2_->transport_error());
  } else if (http2_->state() != State::kOpen) {
    const std::string& why = http2_->transport_error();
    report_.Fail(FetchExit::kHttp2,
                 "HTTP/2: the server closed the connection" + (why.empty() ? why : ": " + why));
  } else {
    return false;
  }
  return true;
}

void Fetch::Finish() {
  bool broken = http2_->error().has_value();
  uint64_t end = NowMs() + kLingerMs;
  nghttp2_session_terminate_session(http2_->h2(), NGHTTP2_NO_ERROR);
  Drive();
  while (http2_->state() == Http2Connection::State::kOpen && NowMs() < end) {
    AwaitSocket(end);
    Drive();
  }
  stream_.CloseWrite();
  if (!broken || http2_->state() != Http2Connection::State::kFinished) return;
  std::array<uint8_t, TlsStream::kMaxRecord> ignored;
  size_t count;
  TlsStream::Result result;
  while ((result = stream_.Read(ignored, count)) == TlsStream::Result::kDone ||
         (result == TlsStream::Result::kWouldBlock && NowMs() < end)) {
    if (result == TlsStream::Result::kWouldBlock) AwaitSocket(end);
  }
}

void Fetch::AwaitSocket(uint64_t wake_ms) {
  pollfd wait{stream_.fd(), http2_->events(), 0};
  poll(&wait, 1, PollTimeout(wake_ms));
}

void Fetch::OnHeader(int32_t stream, std::string_view name, std::string_view value) {
  if (stream != stream_id_ || name != ":status") return;
  std::from_chars(value.data(), value.data() + value.size(), response_.status);
  if (response_.status < 200) response_.status = 0;  // informational
}

void Fetch::OnData(int32_t stream, std::span<const uint8_t> data) {
  if (stream != stream_id_ || http2_->error()) return;
  std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  if (options_.bodies != nullptr) {
    options_.bodies->write(text.data(), static_cast<std::streamsize>(text.size()));
  } else if (response_.body.size() + text.size() <= kMaxBody) {
    response_.body += text;
  } else {
    report_.Fail(FetchExit::kHttp2, response_.url + ": the body is above 64 MiB; leave out --json");
    nghttp2_submit_rst_stream(http2_->h2(), NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
  }
}

void Fetch::OnStreamClose(int32_t stream, uint32_t error_code) {
  if (stream != stream_id_) return;
  stream_closed_ = true;
  stream_error_ = error_code;
}

void Fetch::OnSettings(std::span<const nghttp2_settings_entry> settings) {
  for (const nghttp2_settings_entry& each : settings) {
    if (log() == nullptr) break;
    *log() << "< setting 0x" << std::hex << each.settings_id << std::dec << " = " << each.value
           << '\n';
  }
  session_.NoteNegotiation();
}

}  // namespace

FetchReport FetchSlowly(const FetchOptions& options) {
  if (options.http3) return FetchHttp3Slowly(options);
  FetchReport report;
  const Url& url = options.urls.front();
  std::string error;
  SslContext context = NewClientContext(options.ca_file, error);
  if (context == nullptr) {
    report.Fail(FetchExit::kUsage, error);
    return report;
  }
  std::optional<TlsStream> stream =
      ConnectHttpsSlowly(context.get(), options.connect.value_or(url.server), url.server.host,
                         NowMs() + options.deadline_ms, report);
  if (!stream) return report;
  Fetch fetch(options, std::move(*stream), report);
  if (!fetch.Start()) return report;
  for (const Url& each : options.urls) {
    if (!fetch.FetchUrl(each)) break;
  }
  fetch.Finish();
  return report;
}

}  // namespace signet::tools
