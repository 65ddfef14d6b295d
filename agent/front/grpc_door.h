// grpc.sock: the Agent and the Admin service for any language.
#ifndef SIGNET_AGENT_FRONT_GRPC_DOOR_H_
#define SIGNET_AGENT_FRONT_GRPC_DOOR_H_

#include <grpcpp/server.h>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/local/stream_protocol.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "agent/audit/audit_log.h"
#include "agent/front/admin_calls.h"
#include "agent/front/agent_calls.h"
#include "agent/front/gate.h"
#include "ipc/transport/grpc_peers.h"
#include "ipc/transport/unix_listener.h"

namespace signet::agent {

// Constructed, used and destroyed on the loop's thread; gRPC's own threads only post to the loop.
// All references outlive it.
class GrpcDoor {
 public:
  static constexpr int kMaxCallsPerConnection = 32;
  static constexpr std::chrono::minutes kMaxIdle{5};  // a silent connection is closed after it

  GrpcDoor(asio::any_io_executor loop, Gate& gate, size_t max_connections_per_uid,
           AgentCalls& agent_calls, AdminCalls& admin_calls, AuditLog& audit);
  // Stop has ended, or nothing was ever served.
  ~GrpcDoor();

  // kUnavailable when gRPC can't start.
  absl::Status Listen(ipc::UnixListener listener);

  // Stops listening and takes no new call; ends when those in flight have finished, which are
  // cancelled at the deadline.
  asio::awaitable<void> Stop(std::chrono::system_clock::time_point deadline);

 private:
  class AgentService;
  class AdminService;

  void Admit(asio::local::stream_protocol::socket connection);
  bool IsWithinLimit(uid_t uid);

  asio::any_io_executor loop_;
  const Gate& gate_;
  const size_t max_connections_per_uid_;
  ipc::GrpcPeers peers_;
  std::unique_ptr<AgentService> agent_service_;
  std::unique_ptr<AdminService> admin_service_;
  std::unique_ptr<grpc::Server> server_;
  std::optional<ipc::UnixListener> listener_;  // removes the socket's file
  asio::local::stream_protocol::acceptor acceptor_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_FRONT_GRPC_DOOR_H_
