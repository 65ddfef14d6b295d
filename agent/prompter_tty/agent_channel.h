// The socket to the agent: ipc/prompt.proto, the prompter's side.
#ifndef SIGNET_AGENT_PROMPTER_TTY_AGENT_CHANNEL_H_
#define SIGNET_AGENT_PROMPTER_TTY_AGENT_CHANNEL_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/prompter_tty/conversation.h"
#include "ipc/prompt.pb.h"
#include "ipc/transport/blocking_channel.h"

namespace signet::prompter_tty {

// Owns the socket. One thread.
class AgentChannel {
 public:
  explicit AgentChannel(ipc::Descriptor socket)
      : descriptor_(socket.get()), channel_(std::move(socket)) {}

  // Readable when Receive has something: a message or the end.
  int descriptor() const { return descriptor_; }
  // kOutOfRange when the agent closed the socket.
  absl::StatusOr<prompt::v1::ToPrompter> Receive();
  // The PIN goes into a pipe whose read end travels with the message.
  absl::Status Send(const Choose& choose);
  absl::Status Send(const Leave& leave);
  absl::Status Send(const Fail& fail);

 private:
  absl::Status Send(const prompt::v1::FromPrompter& message, int descriptor);

  int descriptor_;
  ipc::BlockingChannel channel_;
};

}  // namespace signet::prompter_tty

#endif  // SIGNET_AGENT_PROMPTER_TTY_AGENT_CHANNEL_H_
