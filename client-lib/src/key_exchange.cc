#include "client-lib/src/key_exchange.h"

#include <poll.h>

#include <array>
#include <cerrno>

#include "client-lib/src/agent_stream.h"
#include "ipc/wire/framing.h"

namespace signet {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kReadSize = 16 * 1024;

// False at the deadline.
bool WaitFor(int fd, short events, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    pollfd waiting{fd, events, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

constexpr char kTooLate[] =
    "agent: no answer in time; its token may be busy or wait for a PIN: see signet status";
constexpr char kClosed[] = "agent: it closed the connection; see the log of signetd";

}  // namespace

std::optional<wire::Bytes> ExchangeSlowly(const std::string& socket_path, wire::BytesView message,
                                          std::chrono::milliseconds patience, std::string& detail) {
  const Clock::time_point deadline = Clock::now() + patience;
  const std::unique_ptr<AgentStream> stream = ConnectToAgentSlowly(socket_path, patience, detail);
  if (!stream) return std::nullopt;
  while (!message.empty()) {
    const ptrdiff_t count = stream->Write(message);
    if (count < 0) break;  // it may have said why
    message = message.subspan(static_cast<size_t>(count));
    if (count == 0 && !WaitFor(stream->fd(), POLLOUT, deadline)) {
      detail = kTooLate;
      return std::nullopt;
    }
  }
  wire::MessageReader reader;
  std::array<uint8_t, kReadSize> buffer;
  for (;;) {
    const ptrdiff_t count = stream->Read(buffer);
    if (count > 0) reader.Feed(wire::BytesView(buffer).first(static_cast<size_t>(count)));
    if (std::optional<wire::Bytes> answer = reader.Next()) return answer;
    if (count < 0 || reader.broken()) {
      detail = kClosed;
      return std::nullopt;
    }
    if (count == 0 && !WaitFor(stream->fd(), POLLIN, deadline)) {
      detail = kTooLate;
      return std::nullopt;
    }
  }
}

}  // namespace signet
