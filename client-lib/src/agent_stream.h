// The ways to reach the agent, as byte streams that never block.
#ifndef SIGNET_CLIENT_LIB_SRC_AGENT_STREAM_H_
#define SIGNET_CLIENT_LIB_SRC_AGENT_STREAM_H_

#include <signet/client.h>

#include <chrono>
#include <memory>
#include <span>
#include <string>

#include "ipc/wire/bytes.h"

namespace signet {

// Both calls return a count, 0 for "not now" and -1 for the end.
class AgentStream {
 public:
  virtual ~AgentStream() = default;
  virtual ptrdiff_t Write(wire::BytesView bytes) = 0;
  virtual ptrdiff_t Read(std::span<uint8_t> bytes) = 0;
  // -1 when there is none to poll.
  virtual int fd() const = 0;
};

// nullptr, and what happened and what to do next in `detail`.
std::unique_ptr<AgentStream> ConnectToAgent(const std::string& path, std::string& detail);
// The same, but waits for a place when the agent is behind with accepting. The stream never blocks.
std::unique_ptr<AgentStream> ConnectToAgentSlowly(const std::string& path,
                                                  std::chrono::microseconds patience,
                                                  std::string& detail);
// Takes the descriptor over and makes it non-blocking; nullptr, and nothing taken, if it is not a
// socket.
std::unique_ptr<AgentStream> AdoptSocket(int fd);
std::unique_ptr<AgentStream> UseCallbacks(const signet_agent_io& io);

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_AGENT_STREAM_H_
