// One request and its answer over a backend's socket.
#ifndef SIGNET_AGENT_BACKENDS_EXCHANGE_H_
#define SIGNET_AGENT_BACKENDS_EXCHANGE_H_

#include <asio/awaitable.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ipc/backend.pb.h"
#include "ipc/transport/message_channel.h"

namespace signet::agent {

// Sends the request, and a copy of `descriptor` unless it is negative, and waits for its answer: as
// long as the channel is open. OK means that the answer is to this request: the result it asks for,
// or an error. Any other status means that the stream can't be used any more: kInvalidArgument when
// what came is no such answer, else as MessageChannel's. The arguments outlive the call.
asio::awaitable<absl::StatusOr<backend::v1::BackendResponse>> Exchange(
    ipc::MessageChannel& channel, const backend::v1::BackendRequest& request, int descriptor);

// The status that an error answer carries; OK for any other answer.
absl::Status StatusOf(const backend::v1::BackendResponse& response);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_BACKENDS_EXCHANGE_H_
