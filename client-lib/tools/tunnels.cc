#include "client-lib/tools/tunnels.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "client-lib/tools/monotonic_clock.h"
#include "client-lib/tools/plain_stream.h"
#include "client-lib/tools/tunnel_exchange.h"

namespace signet::tools {
namespace {

// A target that does not take the last bytes of a client loses them after so long.
constexpr uint64_t kLastWordsMs = 10000;
constexpr size_t kMaxLastWords = 256;

}  // namespace

struct Tunnels::LastWords {
  LastWords(Tunnels& tunnels, PlainStream connection, std::string bytes)
      : stream(std::move(connection)),
        output(std::move(bytes)),
        watch(tunnels.loop_, [&tunnels, this] {
          if (Write() && NowMs() < deadline_ms) return;
          watch.SetEvents(-1, 0);
          watch.SetDeadline(kNever);
          const auto found =
              std::ranges::find(tunnels.last_words_, this, &std::shared_ptr<LastWords>::get);
          tunnels.loop_.DestroyLater(*found);
          tunnels.last_words_.erase(found);
        }) {
    watch.SetEvents(stream.fd(), POLLOUT);
    watch.SetDeadline(deadline_ms);
  }

  // Whether there is more.
  bool Write() {
    size_t count = 0;
    const ByteStream::Result result =
        stream.Write({reinterpret_cast<const uint8_t*>(output.data()), output.size()}, count);
    if (result == ByteStream::Result::kDone) output.erase(0, count);
    return !output.empty() && result != ByteStream::Result::kFailed;
  }

  PlainStream stream;
  std::string output;
  const uint64_t deadline_ms = NowMs() + kLastWordsMs;
  Watch watch;
};

std::optional<Endpoint> ParseTunnelTarget(std::string_view text) {
  std::optional<Endpoint> target = ParseEndpoint(text);
  if (!target || target->port == 0) return std::nullopt;
  for (char& c : target->host) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return target;
}

Tunnels::Tunnels(EventLoop& loop, const std::vector<TunnelTarget>& targets,
                 uint32_t idle_timeout_ms)
    : loop_(loop), targets_(targets), idle_timeout_ms_(idle_timeout_ms), open_(targets.size()) {}

Tunnels::~Tunnels() = default;

std::unique_ptr<UpstreamExchange> Tunnels::Start(UpstreamRequest request, UpstreamEvents& events) {
  return std::make_unique<TunnelExchange>(*this, request.authority, events);
}

void Tunnels::SendLastWords(PlainStream stream, std::string bytes) {
  if (last_words_.size() >= kMaxLastWords) return;
  last_words_.push_back(std::make_shared<LastWords>(*this, std::move(stream), std::move(bytes)));
}

}  // namespace signet::tools
