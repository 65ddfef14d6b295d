#include "client-lib/src/agent_connection.h"

#include <poll.h>

#include <array>

namespace signet {
namespace {

// An agent that never stops talking must not keep the application in here.
constexpr int kMaxReadsPerCall = 16;
constexpr size_t kReadSize = 16 * 1024;

}  // namespace

short AgentConnection::events() const {
  if (fd() < 0) return 0;
  return static_cast<short>(session_.agent_output().empty() ? POLLIN : POLLIN | POLLOUT);
}

signet_status AgentConnection::Process() {
  // An agent that was restarted while idle left an ended stream behind: once more with a new one.
  for (int attempt = 0;; ++attempt) {
    if (!stream_) {
      if (session_.agent_output().empty()) return SIGNET_OK;
      if (const signet_status status = Open(); status != SIGNET_OK) return status;
    }
    bool ended = false;
    const signet_status status = Exchange(ended);
    if (status != SIGNET_OK || !ended) return status;
    stream_.reset();
    if (!can_reopen() || attempt > 0 || !session_.RestartAgent()) {
      return Lose("the agent closed the connection; see the log of signetd");
    }
  }
}

signet_status AgentConnection::Open() {
  std::string detail;
  stream_ = ConnectToAgent(path_, detail);
  return stream_ ? SIGNET_OK : Lose(detail);
}

signet_status AgentConnection::Exchange(bool& ended) {
  const signet_status status = Read(ended);
  return status != SIGNET_OK || ended ? status : Write(ended);
}

signet_status AgentConnection::Read(bool& ended) {
  std::array<uint8_t, kReadSize> buffer;
  for (int i = 0; i < kMaxReadsPerCall; ++i) {
    const ptrdiff_t count = stream_->Read(buffer);
    if (count <= 0) {
      ended = count < 0;
      return SIGNET_OK;
    }
    const wire::BytesView bytes = wire::BytesView(buffer).first(static_cast<size_t>(count));
    if (session_.AgentInput(bytes) != SIGNET_OK) {  // garbage: what was waiting is declined
      stream_.reset();
      if (can_reopen()) session_.AgentAvailable();
      return SIGNET_ERROR_AGENT;
    }
  }
  return SIGNET_OK;
}

signet_status AgentConnection::Write(bool& ended) {
  while (!session_.agent_output().empty()) {
    const ptrdiff_t count = stream_->Write(session_.agent_output());
    if (count <= 0) {
      ended = count < 0;
      return SIGNET_OK;
    }
    session_.AgentSent(static_cast<size_t>(count));
  }
  return SIGNET_OK;
}

signet_status AgentConnection::Lose(std::string_view detail) {
  const bool waiting = session_.WaitsForAgent();
  session_.AgentGone(detail);
  if (can_reopen()) session_.AgentAvailable();
  return waiting || !can_reopen() ? SIGNET_ERROR_AGENT : SIGNET_OK;
}

void AgentConnection::Close() {
  stream_.reset();
  session_.AgentGone("the application closed its connection to the agent");
}

}  // namespace signet
