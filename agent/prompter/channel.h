// The prompter's end of ipc/prompt.proto.
#ifndef SIGNET_AGENT_PROMPTER_CHANNEL_H_
#define SIGNET_AGENT_PROMPTER_CHANNEL_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ipc/prompt.pb.h"
#include "ipc/transport/descriptor.h"
#include "ipc/transport/partial_message.h"

namespace signet::prompter {

namespace v1 = ::signet::prompt::v1;

// Owns the socket; one thread. Receiving never waits, sending does (what it sends is small).
class Channel {
 public:
  explicit Channel(ipc::Descriptor socket) : socket_(std::move(socket)) {}

  int native_handle() const { return socket_.get(); }

  // What is there now; nothing when that is no whole message. kOutOfRange when the agent closed the
  // socket; kInvalidArgument for what is no message; kUnavailable when the socket breaks.
  absl::StatusOr<std::optional<v1::ToPrompter>> Receive();

  absl::Status Leave();
  absl::Status Fail(const std::string& message);
  // `pin`, when there is one, goes through a pipe of which nothing stays here; at most as long as a
  // pipe holds without a reader.
  absl::Status Choose(const v1::Choose& choose, std::optional<std::string_view> pin);

 private:
  absl::Status Send(const v1::FromPrompter& message, int descriptor = -1);

  ipc::Descriptor socket_;
  ipc::IncomingMessage incoming_;
};

}  // namespace signet::prompter

#endif  // SIGNET_AGENT_PROMPTER_CHANNEL_H_
