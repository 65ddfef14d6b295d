// One gRPC call: begun on a thread of gRPC's, served by a coroutine on the loop, finished there.
#ifndef SIGNET_AGENT_FRONT_GRPC_CALL_H_
#define SIGNET_AGENT_FRONT_GRPC_CALL_H_

#include <grpcpp/support/server_callback.h>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>
#include <memory>
#include <utility>

#include "absl/status/status.h"

namespace signet::agent {

// gRPC owns it from construction to OnDone. The call's context, request and response live until it
// has finished, so the coroutine may use them to its end. A client that goes away cancels the
// coroutine.
class GrpcCall final : public grpc::ServerUnaryReactor {
 public:
  // Any thread. `work` runs on the loop.
  static grpc::ServerUnaryReactor* Start(const asio::any_io_executor& loop,
                                         asio::awaitable<absl::Status> work);

 private:
  explicit GrpcCall(asio::any_io_executor loop) : loop_(std::move(loop)) {}

  void OnCancel() override;
  void OnDone() override { delete this; }

  asio::any_io_executor loop_;
  // Shared with what OnCancel posts, which may run after OnDone. Touched on the loop only.
  const std::shared_ptr<asio::cancellation_signal> cancellation_ =
      std::make_shared<asio::cancellation_signal>();
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_FRONT_GRPC_CALL_H_
