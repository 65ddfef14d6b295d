#include "client-lib/tools/http1_exchange.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {
namespace {

constexpr size_t kReadAtOnce = 16384;
constexpr int kReadsAtOnce = 8;
constexpr uint64_t kConnectMs = 10000;

// RFC 9110 section 8.6: a method that means a body says that there is none.
bool AnnouncesEmptyBody(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

// RFC 9110 section 9.2.2: what a proxy may say again when it can't know whether it was heard.
bool IsRepeatable(const UpstreamRequest& request) {
  static constexpr std::array<std::string_view, 5> kIdempotent = {"GET", "HEAD", "OPTIONS", "PUT",
                                                                  "DELETE"};
  return !request.has_body && std::ranges::count(kIdempotent, request.method) > 0;
}

std::string MakeHead(const UpstreamRequest& request) {
  std::string head = request.method + " " + request.target + " HTTP/1.1\r\n";
  head.append("host: ").append(request.authority).append("\r\n");
  for (const Field& field : request.fields) {
    head.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  if (request.has_body && !request.content_length) {
    head += "transfer-encoding: chunked\r\n";
  } else if (request.content_length) {
    head += "content-length: " + std::to_string(*request.content_length) + "\r\n";
  } else if (AnnouncesEmptyBody(request.method)) {
    head += "content-length: 0\r\n";
  }
  return head + "\r\n";
}

}  // namespace

Http1Exchange::Http1Exchange(Http1Backend& backend, UpstreamRequest request, UpstreamEvents& events)
    : backend_(backend),
      events_(events),
      head_(MakeHead(request)),
      repeatable_(IsRepeatable(request)),
      chunked_(request.has_body && !request.content_length),
      progress_ms_(NowMs()),
      output_(head_),
      body_left_(request.has_body ? request.content_length : std::nullopt),
      request_ended_(!request.has_body),
      parser_(request.method == "HEAD", events),
      watch_(backend.loop_, [this] { Drive(); }) {
  Rearm();
}

Http1Exchange::~Http1Exchange() {
  if (state_ == State::kQueued) backend_.Withdraw(*this);
  Leave();
}

// Makes room for the next one in the queue, once.
void Http1Exchange::Leave() {
  if (std::exchange(admitted_, false)) backend_.Leave();
}

void Http1Exchange::Begin() {
  admitted_ = true;
  // A server may close a kept connection at the very moment we use it. What can't be said again
  // gets a new one.
  Descriptor kept = repeatable_ ? backend_.TakeIdle() : Descriptor();
  if (kept.valid()) {
    stream_.emplace(std::move(kept));
    reused_ = true;
    state_ = State::kOpen;
    watch_.Wake();
  } else {
    backend_.MakeRoom();
    state_ = State::kConnecting;
    ConnectNext();
  }
  progress_ms_ = NowMs();
  Rearm();
}

void Http1Exchange::ConnectNext() {
  std::string why = "it has no address";
  watch_.SetEvents(-1, 0);
  stream_.reset();
  state_ = State::kConnecting;
  while (next_address_ < backend_.address_.addresses.size()) {
    Descriptor socket = StartConnect(backend_.address_.addresses[next_address_++], why);
    if (!socket.valid()) continue;
    stream_.emplace(std::move(socket));
    progress_ms_ = NowMs();
    return;
  }
  watch_.Wake();  // Drive() tells: not from here, where the caller may still be setting up
}

void Http1Exchange::Drive() {
  if (state_ == State::kConnecting) FinishConnecting();
  if (state_ == State::kOpen) Write();
  if (state_ == State::kOpen) Read();
  if (state_ != State::kDone && awaits_backend()) {
    uint64_t limit = state_ == State::kConnecting
                         ? std::min<uint64_t>(kConnectMs, backend_.timeout_ms_)
                         : backend_.timeout_ms_;
    if (NowMs() >= progress_ms_ + limit) {
      if (state_ == State::kConnecting && next_address_ < backend_.address_.addresses.size()) {
        ConnectNext();
      } else if (state_ == State::kQueued) {
        backend_.Withdraw(*this);
        Fail(503, "backend-busy", "all connections to it are in use; try again later");
      } else {
        Fail(504, "backend-timeout", "it did not answer in time");
      }
    }
  }
  Rearm();
}

void Http1Exchange::FinishConnecting() {
  if (!stream_) {
    Fail(502, "bad-gateway", "it can't be reached");
    return;
  }
  pollfd ready{stream_->fd(), POLLOUT, 0};
  if (poll(&ready, 1, 0) == 0) return;
  std::string why;
  if (FinishConnect(stream_->fd(), why)) {
    state_ = State::kOpen;
    progress_ms_ = NowMs();
  } else if (next_address_ < backend_.address_.addresses.size()) {
    ConnectNext();
  } else {
    Fail(502, "bad-gateway", why);
  }
}

void Http1Exchange::Write() {
  while (!output_.empty()) {
    size_t count = 0;
    ByteStream::Result result =
        stream_->Write({reinterpret_cast<const uint8_t*>(output_.data()), output_.size()}, count);
    if (result == ByteStream::Result::kWouldBlock) return;
    // Perhaps it has answered before it closed: what it has to say is read first.
    if (result != ByteStream::Result::kDone) {
      output_.clear();
      request_ended_ = false;  // never to be whole: the connection is not kept
      return;
    }
    progress_ms_ = NowMs();
    output_.erase(0, count);
    if (size_t body = std::min(count, body_unsent_); body > 0 && state_ == State::kOpen) {
      body_unsent_ -= body;
      events_.OnSent(body);
    }
  }
}

void Http1Exchange::Read() {
  std::array<uint8_t, kReadAtOnce> buffer;
  for (int i = 0; i < kReadsAtOnce && state_ == State::kOpen && untaken() < kWindow; ++i) {
    size_t count = 0;
    switch (stream_->Read(buffer, count)) {
      case ByteStream::Result::kWouldBlock:
        return;
      case ByteStream::Result::kFailed:
        Lose(stream_->error());
        return;
      case ByteStream::Result::kClosed:
        if (!parser_.started()) {
          Lose("it closed the connection without an answer");
        } else {
          Take(parser_.ParseEnd());
        }
        return;
      case ByteStream::Result::kDone:
        progress_ms_ = NowMs();
        Take(parser_.Parse({buffer.data(), count}));
    }
  }
}

void Http1Exchange::Take(Http1ResponseParser::Result result) {
  if (result == Http1ResponseParser::Result::kComplete) Finish();
  if (result == Http1ResponseParser::Result::kBroken) Fail(502, "bad-gateway", parser_.fault());
}

void Http1Exchange::Finish() {
  state_ = State::kDone;
  watch_.SetEvents(-1, 0);
  if (parser_.reusable() && request_ended_ && output_.empty()) {
    backend_.Keep(stream_->Release());
  }
  stream_.reset();
  events_.OnResponseEnd(parser_.TakeTrailers());
  Leave();
}

void Http1Exchange::Lose(const std::string& why) {
  if (reused_ && !parser_.started()) {
    reused_ = false;
    output_ = head_;
    request_ended_ = true;
    ConnectNext();
    return;
  }
  Fail(502, "bad-gateway", why);
}

void Http1Exchange::Fail(int status, const std::string& error, const std::string& why) {
  state_ = State::kDone;
  watch_.SetEvents(-1, 0);
  stream_.reset();
  events_.OnFailure({status, error, "the backend at " + backend_.address_.text + ": " + why});
  Leave();
}

// nghttp2 holds bodies against their length before us. What it lets through must still never be
// taken for the next request on the connection.
void Http1Exchange::Mismatch() {
  Fail(502, "bad-gateway", "the request's body is not as long as it said");
}

void Http1Exchange::AppendChunk(std::string_view data) {
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", data.size());
  output_.append(size).append(data).append("\r\n");
}

void Http1Exchange::Send(std::span<const uint8_t> data) {
  if (state_ == State::kDone || data.empty()) return;
  if (body_left_ && data.size() > *body_left_) {
    Mismatch();
    return;
  }
  if (body_left_) *body_left_ -= data.size();
  std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  if (chunked_) {
    AppendChunk(text);
  } else {
    output_ += text;
  }
  body_unsent_ += data.size();
  progress_ms_ = NowMs();
  watch_.Wake();
}

void Http1Exchange::End(Fields trailers) {
  if (state_ == State::kDone || request_ended_) return;
  if (body_left_.value_or(0) > 0) {
    Mismatch();
    return;
  }
  request_ended_ = true;
  if (chunked_) {
    output_ += "0\r\n";
    for (const Field& field : trailers) {
      output_.append(field.name).append(": ").append(field.value).append("\r\n");
    }
    output_ += "\r\n";
  }
  progress_ms_ = NowMs();
  watch_.Wake();
}

void Http1Exchange::Taken(size_t count) {
  bool paused = untaken() >= kWindow;
  taken_ += count;
  if (state_ == State::kDone || !paused || untaken() >= kWindow) return;
  progress_ms_ = NowMs();
  watch_.Wake();
}

bool Http1Exchange::awaits_backend() const {
  if (state_ == State::kQueued || state_ == State::kConnecting) return true;
  return state_ == State::kOpen && untaken() < kWindow && (request_ended_ || !output_.empty());
}

void Http1Exchange::Rearm() {
  uint64_t limit = backend_.timeout_ms_;
  short events = 0;
  if (state_ == State::kConnecting) {
    limit = std::min<uint64_t>(limit, kConnectMs);
    events = POLLOUT;
  } else if (state_ == State::kOpen) {
    if (untaken() < kWindow) events |= POLLIN;
    if (!output_.empty()) events |= POLLOUT;
  }
  watch_.SetEvents(stream_ ? stream_->fd() : -1, stream_ ? events : 0);
  watch_.SetDeadline(awaits_backend() ? progress_ms_ + limit : kNever);
}

}  // namespace signet::tools
