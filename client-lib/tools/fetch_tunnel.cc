#include "client-lib/tools/fetch_tunnel.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "client-lib/tools/outgoing_body.h"

namespace signet::tools {

FetchTunnel::~FetchTunnel() {
  if (OutgoingBody* body = carrier_.BodyOf(*this)) {
    body->End({});
    carrier_.Resume(*this);
    carrier_.Drive();
  }
  carrier_.Abandon(*this);
}

bool FetchTunnel::Request(const Endpoint& target, std::string& error) {
  return carrier_.Request(
      {{":method", "CONNECT"}, {":authority", ToString(target)}, {"user-agent", "signet-fetch"}},
      true, *this, error);
}

ByteStream::Result FetchTunnel::Read(std::span<uint8_t> out, size_t& count) {
  if (received_.empty()) carrier_.Drive();
  if (received_.empty()) return ended_ || !carrier_.open() ? Result::kClosed : Result::kWouldBlock;
  count = std::min(out.size(), received_.size());
  memcpy(out.data(), received_.data(), count);
  received_.erase(0, count);
  return Result::kDone;
}

ByteStream::Result FetchTunnel::Write(std::span<const uint8_t> data, size_t& count) {
  OutgoingBody* body = carrier_.BodyOf(*this);
  if (body == nullptr) return Result::kClosed;
  // What was given before has to be with the proxy first.
  if (body->pending()) carrier_.Drive();
  body = carrier_.BodyOf(*this);
  if (body == nullptr) return Result::kClosed;
  if (body->pending()) return Result::kWouldBlock;
  body->Add({reinterpret_cast<const char*>(data.data()), data.size()});
  count = data.size();
  carrier_.Resume(*this);
  carrier_.Drive();
  return Result::kDone;
}

void FetchTunnel::OnHeader(std::string_view name, std::string_view value) {
  if (name != ":status") return;
  std::from_chars(value.data(), value.data() + value.size(), status_);
  if (status_ < 200) status_ = 0;
}

void FetchTunnel::OnData(std::span<const uint8_t> data) {
  received_.append(reinterpret_cast<const char*>(data.data()), data.size());
}

void FetchTunnel::OnClose(uint64_t code, std::string error) {
  ended_ = true;
  if (code != 0) error_ = "the proxy ended the tunnel: " + error;
}

}  // namespace signet::tools
