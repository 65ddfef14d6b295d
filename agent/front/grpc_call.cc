#include "agent/front/grpc_call.h"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <exception>
#include <string>
#include <utility>

#include "agent/front/messages.h"

namespace signet::agent {
namespace {

// The codes are the same numbers.
grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), PlainText(std::string(status.message()))};
}

}  // namespace

grpc::ServerUnaryReactor* GrpcCall::Start(const asio::any_io_executor& loop,
                                          asio::awaitable<absl::Status> work) {
  auto* call = new GrpcCall(loop);  // deleted by OnDone, which gRPC calls once it has finished
  asio::post(loop, [call, work = std::move(work)]() mutable {
    // The signal is held by the handler: OnDone may delete the call while this is still on the way.
    auto cancellation = call->cancellation_;
    const asio::cancellation_slot slot = cancellation->slot();
    asio::co_spawn(
        call->loop_, std::move(work),
        asio::bind_cancellation_slot(
            slot, [call, cancellation](std::exception_ptr failure, const absl::Status& status) {
              call->Finish(ToGrpc(
                  failure ? absl::InternalError("agent: the call failed; see its log") : status));
            }));
  });
  return call;
}

void GrpcCall::OnCancel() {
  asio::post(loop_, [cancellation = cancellation_] {
    cancellation->emit(asio::cancellation_type::terminal);
  });
}

}  // namespace signet::agent
