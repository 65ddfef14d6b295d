#include "client-lib/tools/tunnel_exchange.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <utility>

#include "client-lib/tools/backend_address.h"
#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {
namespace {

constexpr size_t kReadAtOnce = 16384;
constexpr int kReadsAtOnce = 8;
constexpr uint64_t kConnectMs = 10000;

}  // namespace

TunnelExchange::TunnelExchange(Tunnels& tunnels, const std::string& authority,
                               UpstreamEvents& events)
    : tunnels_(tunnels),
      events_(events),
      progress_ms_(NowMs()),
      watch_(tunnels.loop_, [this] { Drive(); }) {
  Admit(authority);
  if (entry_) ConnectNext();
  Rearm();
}

TunnelExchange::~TunnelExchange() {
  watch_.SetEvents(-1, 0);
  if (state_ == State::kOpen && client_ended_ && !output_.empty()) {
    tunnels_.SendLastWords(std::move(*stream_), std::move(output_));
  }
  if (entry_) --tunnels_.open_[*entry_];
}

void TunnelExchange::Admit(const std::string& authority) {
  const std::optional<Endpoint> named = ParseTunnelTarget(authority);
  if (!named) {
    Refuse(400, "bad-request", "CONNECT names no target; write HOST:PORT");
    return;
  }
  for (size_t i = 0; i < tunnels_.targets_.size(); ++i) {
    if (tunnels_.targets_[i].target != *named) continue;
    if (tunnels_.open_[i] >= tunnels_.targets_[i].connections) {
      Refuse(503, "tunnel-busy", "all tunnels to " + ToString(*named) + " are in use; try later");
      return;
    }
    ++tunnels_.open_[i];
    entry_ = i;
    return;
  }
  Refuse(403, "no-tunnel", "this gateway has no tunnel to " + ToString(*named));
}

void TunnelExchange::Refuse(int status, const std::string& error, const std::string& why) {
  refusal_ = UpstreamFailure{status, error, why};
  watch_.Wake();
}

void TunnelExchange::ConnectNext() {
  std::string why = "it has no address";
  watch_.SetEvents(-1, 0);
  stream_.reset();
  progress_ms_ = NowMs();
  while (next_address_ < target().addresses.size()) {
    Descriptor socket = StartConnect(target().addresses[next_address_++], why);
    if (!socket.valid()) continue;
    stream_.emplace(std::move(socket));
    return;
  }
  Refuse(502, "bad-gateway", ToString(target().target) + ": " + why);
}

void TunnelExchange::Drive() {
  if (refusal_) {
    if (state_ != State::kDone) Fail(*refusal_);
    return;
  }
  if (state_ == State::kConnecting) FinishConnecting();
  if (state_ == State::kOpen) Write();
  if (state_ == State::kOpen) Read();
  if (state_ != State::kDone && NowMs() >= deadline_ms()) Expire();
  Rearm();
}

void TunnelExchange::FinishConnecting() {
  pollfd ready{stream_->fd(), POLLOUT, 0};
  if (poll(&ready, 1, 0) == 0) return;
  std::string why;
  if (FinishConnect(stream_->fd(), why)) {
    state_ = State::kOpen;
    progress_ms_ = NowMs();
    events_.OnResponse(200, {});
  } else if (next_address_ < target().addresses.size()) {
    ConnectNext();
  } else {
    Fail({502, "bad-gateway", ToString(target().target) + ": " + why});
  }
}

void TunnelExchange::Write() {
  while (!output_.empty()) {
    size_t count = 0;
    const ByteStream::Result result =
        stream_->Write({reinterpret_cast<const uint8_t*>(output_.data()), output_.size()}, count);
    if (result == ByteStream::Result::kWouldBlock) return;
    if (result != ByteStream::Result::kDone) {
      Fail({502, "tunnel-broken", ToString(target().target) + ": " + stream_->error()});
      return;
    }
    progress_ms_ = NowMs();
    output_.erase(0, count);
    events_.OnSent(count);
  }
  if (client_ended_ && !std::exchange(end_written_, true)) shutdown(stream_->fd(), SHUT_WR);
}

void TunnelExchange::Read() {
  std::array<uint8_t, kReadAtOnce> buffer;
  for (int i = 0; i < kReadsAtOnce && !target_ended_ && untaken_ < kWindow; ++i) {
    size_t count = 0;
    switch (stream_->Read(buffer, count)) {
      case ByteStream::Result::kWouldBlock:
        return;
      case ByteStream::Result::kFailed:
        Fail({502, "tunnel-broken", ToString(target().target) + ": " + stream_->error()});
        return;
      case ByteStream::Result::kClosed:
        target_ended_ = true;
        progress_ms_ = NowMs();
        events_.OnResponseEnd({});
        return;
      case ByteStream::Result::kDone:
        progress_ms_ = NowMs();
        untaken_ += count;
        events_.OnResponseBody({buffer.data(), count});
    }
  }
}

void TunnelExchange::Expire() {
  const std::string where = ToString(target().target);
  if (state_ == State::kOpen) {
    Fail({504, "tunnel-idle", where + ": nothing has moved for too long"});
  } else if (next_address_ < target().addresses.size()) {
    ConnectNext();
  } else {
    Fail({504, "tunnel-timeout", where + ": no connection in time"});
  }
}

void TunnelExchange::Fail(const UpstreamFailure& failure) {
  state_ = State::kDone;
  watch_.SetEvents(-1, 0);
  stream_.reset();
  events_.OnFailure(failure);
}

void TunnelExchange::Send(std::span<const uint8_t> data) {
  if (state_ == State::kDone || client_ended_) return;
  output_.append(reinterpret_cast<const char*>(data.data()), data.size());
  progress_ms_ = NowMs();
  watch_.Wake();
}

void TunnelExchange::End(Fields) {
  client_ended_ = true;
  watch_.Wake();
}

void TunnelExchange::Taken(size_t count) {
  untaken_ -= count;
  progress_ms_ = NowMs();
  watch_.Wake();
}

uint64_t TunnelExchange::deadline_ms() const {
  return progress_ms_ + (state_ == State::kConnecting ? kConnectMs : tunnels_.idle_timeout_ms_);
}

void TunnelExchange::Rearm() {
  short events = 0;
  if (state_ == State::kConnecting) {
    events = POLLOUT;
  } else if (state_ == State::kOpen) {
    if (!target_ended_ && untaken_ < kWindow) events |= POLLIN;
    if (!output_.empty()) events |= POLLOUT;
  }
  watch_.SetEvents(stream_ ? stream_->fd() : -1, stream_ ? events : 0);
  watch_.SetDeadline(state_ == State::kDone || refusal_ ? kNever : deadline_ms());
}

}  // namespace signet::tools
