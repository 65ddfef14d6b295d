#include "agent/prompter_tty/agent_channel.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>

namespace signet::prompter_tty {
namespace {

// At most 256 bytes, which a pipe holds without a reader.
absl::StatusOr<ipc::Descriptor> PipeWith(const wire::Secret& pin) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return absl::InternalError("PIN: make a pipe: failed");
  ipc::Descriptor read_end(ends[0]);
  const ipc::Descriptor write_end(ends[1]);
  const wire::BytesView bytes = pin.view();
  if (write(write_end.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    return absl::InternalError("PIN: write to the pipe: failed");
  }
  return read_end;
}

}  // namespace

absl::StatusOr<prompt::v1::ToPrompter> AgentChannel::Receive() {
  absl::StatusOr<ipc::Message> message = channel_.Receive();
  if (!message.ok()) return message.status();
  prompt::v1::ToPrompter parsed;
  if (!parsed.ParseFromArray(message->bytes.data(), static_cast<int>(message->bytes.size()))) {
    return absl::InvalidArgumentError("the agent's message makes no sense");
  }
  return parsed;
}

absl::Status AgentChannel::Send(const prompt::v1::FromPrompter& message, int descriptor) {
  wire::Bytes bytes(message.ByteSizeLong());
  message.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
  return channel_.Send(bytes, descriptor);
}

absl::Status AgentChannel::Send(const Choose& choose) {
  prompt::v1::FromPrompter message;
  message.mutable_choose()->set_choice(choose.choice);
  message.mutable_choose()->set_last_try(choose.last_try);
  if (!choose.pin.has_value()) return Send(message, -1);
  const absl::StatusOr<ipc::Descriptor> pipe = PipeWith(*choose.pin);
  if (!pipe.ok()) return pipe.status();
  return Send(message, pipe->get());
}

absl::Status AgentChannel::Send(const Leave&) {
  prompt::v1::FromPrompter message;
  message.mutable_leave();
  return Send(message, -1);
}

absl::Status AgentChannel::Send(const Fail& fail) {
  prompt::v1::FromPrompter message;
  message.mutable_fail()->set_message(fail.message);
  return Send(message, -1);
}

}  // namespace signet::prompter_tty
