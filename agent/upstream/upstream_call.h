// One connection to another agent's agent.sock, for one call at a time (ipc/agent.proto). Calls
// that overlap have a connection each: none waits behind another, and to close it cancels the call
// there.
#ifndef SIGNET_AGENT_UPSTREAM_UPSTREAM_CALL_H_
#define SIGNET_AGENT_UPSTREAM_UPSTREAM_CALL_H_

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/identity/key_source.h"
#include "ipc/agent.pb.h"
#include "ipc/transport/message_channel.h"

namespace signet::agent {

// Loop thread only; alive until its coroutines have ended.
class UpstreamCall {
 public:
  // Never waits. Fails as ConnectUnix.
  static absl::StatusOr<std::unique_ptr<UpstreamCall>> Connect(
      const asio::any_io_executor& executor, const std::string& socket);

  // The answer to this message, whose id is set here. kDeadlineExceeded; kUnavailable when the
  // connection breaks; kDataLoss for what is no answer; and what an Error says: kPermissionDenied
  // when [access] there does not admit us, kResourceExhausted when we ask for too much, else
  // kFailedPrecondition. After an error the connection is of no use. Cancelled it throws.
  asio::awaitable<absl::StatusOr<v1::AgentMessage>> Ask(v1::ClientMessage message,
                                                        Deadline deadline);

  // Waits until the other agent ends the connection (false; or says what nobody asked for), or
  // until then: true.
  asio::awaitable<bool> StaysOpen(Deadline until);

  // Whoever waits above fails.
  void Close() { channel_.Close(); }

 private:
  explicit UpstreamCall(ipc::MessageChannel channel) : channel_(std::move(channel)) {}

  ipc::MessageChannel channel_;
  uint64_t last_id_ = 0;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_UPSTREAM_UPSTREAM_CALL_H_
