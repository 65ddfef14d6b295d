#include "client-lib/tools/fetch_http2.h"

#include <poll.h>
#include <signet/openssl.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <ostream>
#include <vector>

#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {
namespace {

// After an error we let the server hang up first: closing with unread bytes would reset the
// connection and could take our GOAWAY with it.
constexpr uint64_t kLingerMs = 1000;

ssize_t FillBody(nghttp2_session* h2, int32_t id, uint8_t* out, size_t capacity, uint32_t* flags,
                 nghttp2_data_source* source, void*) {
  return static_cast<OutgoingBody*>(source->ptr)->Fill(h2, id, {out, capacity}, *flags);
}

}  // namespace

bool Http2FetchConnection::Start(const std::string& origin, signet_openssl_trust& trust) {
  if (log() != nullptr) {
    *log() << "* " << SSL_get_version(stream_.ssl()) << ", " << SSL_get_cipher_name(stream_.ssl())
           << "\n* wire profile: " << ToString(options_.code_points) << '\n';
  }
  signet_session_config config{};
  config.http = SIGNET_HTTP2;
  config.client_hello = https_.client_hello->bytes();
  config.verify_server_chain = signet_openssl_check_server_chain;
  config.covers_host = signet_openssl_covers_host;
  config.server_names = signet_openssl_server_names;
  config.server_user = &trust;
  const signet_status status = signet_openssl_tls(stream_.ssl(), &config.tls);
  if (!session_.Start(config, origin, status)) return false;
  https_.client_hello.reset();
  signet_nghttp2_init_client(&adapter_, session_.get());
  const nghttp2_settings_entry no_push[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
  http2_ =
      std::make_unique<Http2Connection>(stream_, &adapter_, *this, no_push, Windows::kAutomatic);
  return true;
}

bool Http2FetchConnection::Request(const Fields& head, bool has_body, FetchStream& stream,
                                   std::string& error) {
  // The id is known only afterwards, and nothing is read before the next Send().
  Exchange exchange{&stream, {}};
  const std::vector<nghttp2_nv> headers = ToNghttp2(head);
  const int32_t next = static_cast<int32_t>(nghttp2_session_get_next_stream_id(http2_->h2()));
  nghttp2_data_provider provider{};
  auto [place, added] = exchanges_.insert_or_assign(next, std::move(exchange));
  provider.source.ptr = &place->second.body;
  provider.read_callback = FillBody;
  const int32_t id = nghttp2_submit_request(http2_->h2(), nullptr, headers.data(), headers.size(),
                                            has_body ? &provider : nullptr, nullptr);
  if (id == next) return true;
  exchanges_.erase(place);
  error = nghttp2_strerror(id);
  return false;
}

FetchStream* Http2FetchConnection::Find(int32_t id) const {
  auto found = exchanges_.find(id);
  return found == exchanges_.end() ? nullptr : found->second.stream;
}

int32_t Http2FetchConnection::IdOf(const FetchStream& stream) const {
  for (const auto& [id, exchange] : exchanges_) {
    if (exchange.stream == &stream) return id;
  }
  return 0;
}

OutgoingBody* Http2FetchConnection::BodyOf(const FetchStream& stream) {
  auto found = exchanges_.find(IdOf(stream));
  return found == exchanges_.end() ? nullptr : &found->second.body;
}

void Http2FetchConnection::Resume(const FetchStream& stream) {
  if (OutgoingBody* body = BodyOf(stream)) body->Resume(http2_->h2(), IdOf(stream));
}

void Http2FetchConnection::Abandon(const FetchStream& stream) {
  const int32_t id = IdOf(stream);
  if (id == 0) return;
  exchanges_.at(id).stream = nullptr;
  nghttp2_submit_rst_stream(http2_->h2(), NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
}

void Http2FetchConnection::Drive() {
  http2_->Receive();
  session_.Advance();
  http2_->Send();
  session_.TakeEvents();
}

void Http2FetchConnection::ReportEnd() {
  if (http2_->error()) {
    report_.connection_error = http2_->error();
    const Http2Error& error = *http2_->error();
    report_.Fail(FetchExit::kHttp2,
                 std::string("HTTP/2: ") +
                     (error.by == Http2Error::By::kLocal ? "the server broke a rule: "
                                                         : "the server reports an error: ") +
                     error.name + (error.detail.empty() ? "" : ": " + error.detail));
  } else if (http2_->state() == Http2Connection::State::kFailed) {
    report_.Fail(FetchExit::kTls, "TLS: " + http2_->transport_error());
  } else {
    const std::string& why = http2_->transport_error();
    report_.Fail(FetchExit::kHttp2,
                 "HTTP/2: the server closed the connection" + (why.empty() ? why : ": " + why));
  }
}

SocketAddress Http2FetchConnection::peer() const { return PeerAddress(stream_.socket()); }

void Http2FetchConnection::FinishSlowly() {
  bool was_broken = broken();
  uint64_t end = NowMs() + kLingerMs;
  nghttp2_session_terminate_session(http2_->h2(), NGHTTP2_NO_ERROR);
  Drive();
  while (open() && stream_.fd() >= 0 && NowMs() < end) {
    AwaitSocket(end);
    Drive();
  }
  stream_.CloseWrite();
  if (!was_broken || http2_->state() != Http2Connection::State::kFinished) return;
  std::array<uint8_t, TlsStream::kMaxRecord> ignored;
  size_t count;
  TlsStream::Result result;
  while ((result = stream_.Read(ignored, count)) == TlsStream::Result::kDone ||
         (result == TlsStream::Result::kWouldBlock && NowMs() < end)) {
    if (result == TlsStream::Result::kWouldBlock) AwaitSocket(end);
  }
}

void Http2FetchConnection::AwaitSocket(uint64_t wake_ms) {
  pollfd socket = wait();
  poll(&socket, 1, PollTimeout(wake_ms));
}

void Http2FetchConnection::OnHeader(int32_t stream, std::string_view name, std::string_view value) {
  if (FetchStream* found = Find(stream)) found->OnHeader(name, value);
}

void Http2FetchConnection::OnData(int32_t stream, std::span<const uint8_t> data) {
  if (http2_->error()) return;
  if (FetchStream* found = Find(stream)) found->OnData(data);
}

void Http2FetchConnection::OnStreamEnd(int32_t stream) {
  if (FetchStream* found = Find(stream)) found->OnEnd();
}

void Http2FetchConnection::OnStreamClose(int32_t stream, uint32_t error_code) {
  if (FetchStream* found = Find(stream)) {
    found->OnClose(error_code, nghttp2_http2_strerror(error_code));
  }
  exchanges_.erase(stream);
}

void Http2FetchConnection::OnSettings(std::span<const nghttp2_settings_entry> settings) {
  for (const nghttp2_settings_entry& each : settings) {
    if (log() == nullptr) break;
    *log() << "< setting 0x" << std::hex << each.settings_id << std::dec << " = " << each.value
           << '\n';
  }
  session_.NoteNegotiation();
}

}  // namespace signet::tools
