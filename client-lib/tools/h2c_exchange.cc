#include "client-lib/tools/h2c_exchange.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "client-lib/tools/h2c_connection.h"
#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {
namespace {

constexpr size_t kMaxFieldBytes = 65536;

}  // namespace

H2cExchange::H2cExchange(H2cBackend& backend, UpstreamRequest request, UpstreamEvents& events)
    : backend_(backend),
      request_(std::move(request)),
      events_(events),
      progress_ms_(NowMs()),
      watch_(backend.loop_, [this] { Drive(); }) {
  body_.OnTaken([this](size_t count) {
    events_.OnSent(count);
    Progress();
  });
  if (!request_.has_body) body_.End({});
  Begin();
}

H2cExchange::~H2cExchange() { Leave(true); }

void H2cExchange::Begin() {
  H2cConnection& connection = backend_.Choose();
  std::optional<int32_t> stream = connection.Add(*this, request_);
  if (!stream) {
    watch_.Wake();  // another connection is chosen then
    return;
  }
  connection_ = &connection;
  stream_ = *stream;
  Progress();
}

// The request may be without a connection: its last one has refused it.
void H2cExchange::Drive() {
  if (done_) return;
  if (connection_ == nullptr) Begin();
  if (awaits_backend() && NowMs() >= progress_ms_ + backend_.timeout_ms_) {
    Fail(504, "backend-timeout", "it did not answer in time");
  }
}

void H2cExchange::Leave(bool reset) {
  done_ = true;
  watch_.SetDeadline(kNever);
  if (H2cConnection* connection = std::exchange(connection_, nullptr)) {
    connection->Remove(stream_, reset);
  }
}

void H2cExchange::Fail(int status, const std::string& error, const std::string& why) {
  Leave(true);
  events_.OnFailure({status, error, "the backend at " + backend_.address_.text + ": " + why});
}

void H2cExchange::Progress() {
  progress_ms_ = NowMs();
  watch_.SetDeadline(awaits_backend() ? progress_ms_ + backend_.timeout_ms_ : kNever);
}

void H2cExchange::Send(std::span<const uint8_t> data) {
  if (done_) return;
  body_.Add({reinterpret_cast<const char*>(data.data()), data.size()});
  Progress();
  if (connection_ == nullptr) return;
  body_.Resume(connection_->h2(), stream_);
  connection_->Wake();
}

void H2cExchange::End(Fields trailers) {
  if (done_ || body_.ended()) return;
  body_.End(std::move(trailers));
  Progress();
  if (connection_ == nullptr) return;
  body_.Resume(connection_->h2(), stream_);
  connection_->Wake();
}

void H2cExchange::Taken(size_t count) {
  untaken_ -= std::min(untaken_, count);
  if (done_ || connection_ == nullptr) return;
  nghttp2_session_consume_stream(connection_->h2(), stream_, count);
  connection_->Wake();
  Progress();
}

bool H2cExchange::awaits_backend() const {
  return !done_ && untaken_ < kWindow && (body_.ended() || body_.pending());
}

void H2cExchange::OnHeader(std::string_view name, std::string_view value) {
  field_bytes_ += name.size() + value.size() + kFieldOverhead;
  if (field_bytes_ > kMaxFieldBytes) return;
  if (name == ":status") {
    std::from_chars(value.data(), value.data() + value.size(), status_);
  } else {
    fields_.push_back({std::string(name), std::string(value)});
  }
}

void H2cExchange::OnHeadersComplete() {
  if (field_bytes_ > kMaxFieldBytes) {
    Fail(502, "bad-gateway", "the header fields of its answer are above 65536 bytes");
    return;
  }
  Progress();
  if (answered_) return;  // trailers: for OnResponseEnd()
  Fields fields = std::exchange(fields_, {});
  field_bytes_ = 0;
  RemoveHopByHop(fields);
  if (status_ < 200) {
    events_.OnInformation(status_, std::move(fields));
    return;
  }
  answered_ = true;
  events_.OnResponse(status_, std::move(fields));
}

void H2cExchange::OnData(std::span<const uint8_t> data) {
  untaken_ += data.size();
  events_.OnResponseBody(data);
  Progress();
}

void H2cExchange::OnResponseEnd() {
  Fields trailers = std::exchange(fields_, {});
  std::erase_if(trailers, [](const Field& field) {
    return IsHopByHop(field.name) || IsBannedInTrailer(field.name);
  });
  // A backend that has answered does not want the rest of the request.
  Leave(!body_.sent_all() && request_.has_body);
  events_.OnResponseEnd(std::move(trailers));
}

void H2cExchange::OnStreamClose(uint32_t error_code) {
  connection_ = nullptr;
  if (done_) return;
  if (error_code == NGHTTP2_REFUSED_STREAM && !answered_ && !request_.has_body && !tried_again_) {
    tried_again_ = true;  // RFC 9113 section 8.7: it has not been acted on
    watch_.Wake();
    return;
  }
  Fail(502, "bad-gateway",
       std::string("it reset the request: ") + nghttp2_http2_strerror(error_code));
}

void H2cExchange::OnConnectionLost(const std::string& why) {
  connection_ = nullptr;
  if (!done_) Fail(502, "bad-gateway", why);
}

}  // namespace signet::tools
