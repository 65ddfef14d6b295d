#include "client-lib/tools/h2c_connection.h"

#include <poll.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "client-lib/tools/h2c_exchange.h"
#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {
namespace {

constexpr uint64_t kConnectMs = 10000;
constexpr uint64_t kKeepMs = 60000;       // without an exchange
constexpr size_t kAssumedCapacity = 100;  // until its SETTINGS say otherwise

std::vector<nghttp2_nv> MakeHead(const UpstreamRequest& request, const std::string& length) {
  std::vector<nghttp2_nv> head = {
      ToNghttp2(":method", request.method), ToNghttp2(":scheme", "http"),
      ToNghttp2(":authority", request.authority), ToNghttp2(":path", request.target)};
  std::vector<nghttp2_nv> fields = ToNghttp2(request.fields);
  head.insert(head.end(), fields.begin(), fields.end());
  if (!length.empty()) head.push_back(ToNghttp2("content-length", length));
  if (request.wants_trailers) head.push_back(ToNghttp2("te", "trailers"));
  return head;
}

}  // namespace

H2cConnection::H2cConnection(H2cBackend& backend)
    : backend_(backend),
      capacity_(kAssumedCapacity),
      connect_by_ms_(kNever),
      busy_ms_(NowMs()),
      why_("it has no address"),
      watch_(backend.loop_, [this] { Drive(); }) {
  const nghttp2_settings_entry no_push[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
  http2_ = std::make_unique<Http2Connection>(stream_, nullptr, *this, no_push, Windows::kManual);
  ConnectNext();
  watch_.Wake();
}

void H2cConnection::ConnectNext() {
  watch_.SetEvents(-1, 0);
  stream_ = PlainStream(Descriptor());
  const auto& addresses = backend_.address_.addresses;
  while (next_address_ < addresses.size()) {
    Descriptor socket = StartConnect(addresses[next_address_++], why_);
    if (!socket.valid()) continue;
    stream_ = PlainStream(std::move(socket));
    connect_by_ms_ = NowMs() + std::min<uint64_t>(kConnectMs, backend_.timeout_ms_);
    return;
  }
}

// Whether the connection stands; ends this one when there is no address left to try.
bool H2cConnection::Connected() {
  while (stream_.fd() >= 0) {
    pollfd ready{stream_.fd(), POLLOUT, 0};
    if (poll(&ready, 1, 0) > 0) {
      if (FinishConnect(stream_.fd(), why_)) return true;
    } else if (NowMs() < connect_by_ms_) {
      return false;
    } else {
      why_ = "it did not answer in time";
    }
    ConnectNext();
  }
  End(why_);
  return false;
}

std::optional<int32_t> H2cConnection::Add(H2cExchange& exchange, const UpstreamRequest& request) {
  const std::string length =
      request.content_length ? std::to_string(*request.content_length) : std::string();
  std::vector<nghttp2_nv> head = MakeHead(request, length);
  nghttp2_data_provider body{};
  body.source.ptr = this;  // not the exchange: it may go before nghttp2 has noticed
  body.read_callback = [](nghttp2_session* h2, int32_t stream, uint8_t* out, size_t capacity,
                          uint32_t* flags, nghttp2_data_source* source, void*) -> ssize_t {
    H2cExchange* found = static_cast<H2cConnection*>(source->ptr)->Find(stream);
    return found == nullptr ? static_cast<ssize_t>(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE)
                            : found->body().Fill(h2, stream, {out, capacity}, *flags);
  };
  int32_t stream = nghttp2_submit_request(http2_->h2(), nullptr, head.data(), head.size(),
                                          request.has_body ? &body : nullptr, nullptr);
  if (stream < 0) {
    full_ = true;
    return std::nullopt;
  }
  exchanges_[stream] = &exchange;
  watch_.Wake();
  return stream;
}

void H2cConnection::Remove(int32_t stream, bool reset) {
  exchanges_.erase(stream);
  if (reset) {
    nghttp2_submit_rst_stream(http2_->h2(), NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
  }
  busy_ms_ = NowMs();
  watch_.Wake();
}

H2cExchange* H2cConnection::Find(int32_t stream) {
  auto found = exchanges_.find(stream);
  return found == exchanges_.end() ? nullptr : found->second;
}

void H2cConnection::Drive() {
  if (ended_) return;
  if (!connected_) connected_ = Connected();
  if (connected_) {
    http2_->Receive();
    if (exchanges_.empty() && NowMs() >= busy_ms_ + kKeepMs) {
      nghttp2_session_terminate_session(http2_->h2(), NGHTTP2_NO_ERROR);
    }
    http2_->Send();
    if (http2_->state() != Http2Connection::State::kOpen) {
      const std::string& how = http2_->transport_error();
      End(http2_->error() ? "HTTP/2: " + http2_->error()->name
          : how.empty()   ? "it closed the connection"
                          : how);
    } else if (!takes_requests() && exchanges_.empty()) {
      End("it closed the connection");
    }
  }
  if (!ended_) Rearm();
}

void H2cConnection::Rearm() {
  watch_.SetEvents(stream_.fd(), connected_ ? http2_->events() : static_cast<short>(POLLOUT));
  watch_.SetDeadline(!connected_          ? connect_by_ms_
                     : exchanges_.empty() ? busy_ms_ + kKeepMs
                                          : kNever);
}

void H2cConnection::End(const std::string& why) {
  ended_ = true;
  watch_.SetEvents(-1, 0);
  watch_.SetDeadline(kNever);
  for (auto& [stream, exchange] : std::exchange(exchanges_, {})) exchange->OnConnectionLost(why);
  backend_.Remove(*this);
}

void H2cConnection::OnHeader(int32_t stream, std::string_view name, std::string_view value) {
  if (H2cExchange* exchange = Find(stream)) exchange->OnHeader(name, value);
}

void H2cConnection::OnHeadersComplete(int32_t stream, bool) {
  if (H2cExchange* exchange = Find(stream)) exchange->OnHeadersComplete();
}

// The connection's window is given back at once: a client that does not read must not hold up the
// others. The stream's is given back as its client reads.
void H2cConnection::OnData(int32_t stream, std::span<const uint8_t> data) {
  nghttp2_session_consume_connection(http2_->h2(), data.size());
  if (H2cExchange* exchange = Find(stream)) exchange->OnData(data);
}

void H2cConnection::OnStreamEnd(int32_t stream) {
  if (H2cExchange* exchange = Find(stream)) exchange->OnResponseEnd();
}

void H2cConnection::OnStreamClose(int32_t stream, uint32_t error_code) {
  auto found = exchanges_.find(stream);
  if (found == exchanges_.end()) return;
  H2cExchange* exchange = found->second;
  exchanges_.erase(found);
  busy_ms_ = NowMs();
  exchange->OnStreamClose(error_code);
}

void H2cConnection::OnSettings(std::span<const nghttp2_settings_entry> settings) {
  for (const nghttp2_settings_entry& each : settings) {
    if (each.settings_id == NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS) capacity_ = each.value;
  }
}

}  // namespace signet::tools
