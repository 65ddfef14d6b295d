#include "agent/prompter/channel.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "ipc/wire/bytes.h"

namespace signet::prompter {
namespace {

absl::Status Failure(const char* what) {
  return absl::UnavailableError(absl::StrCat("PIN: ", what, ": ", std::strerror(errno)));
}

// The read end of a pipe that holds the PIN, and whose write end is closed.
absl::StatusOr<ipc::Descriptor> PipeWith(std::string_view pin) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return Failure("no pipe");
  ipc::Descriptor read_end(ends[0]);
  const ipc::Descriptor write_end(ends[1]);
  if (write(write_end.get(), pin.data(), pin.size()) != static_cast<ssize_t>(pin.size())) {
    return Failure("write to the pipe");
  }
  // Its reader expects to wait, as at any pipe.
  if (fcntl(read_end.get(), F_SETFL, 0) != 0) return Failure("pipe");
  return read_end;
}

}  // namespace

absl::StatusOr<std::optional<v1::ToPrompter>> Channel::Receive() {
  while (true) {
    const absl::StatusOr<ipc::Progress> progress =
        incoming_.ReceiveSome(socket_.get(), MSG_DONTWAIT);
    if (!progress.ok()) return progress.status();
    if (*progress == ipc::Progress::kBlocked) return std::nullopt;
    if (*progress == ipc::Progress::kDone) break;
  }
  const ipc::Message message = incoming_.Take();
  v1::ToPrompter parsed;
  if (!parsed.ParseFromArray(message.bytes.data(), static_cast<int>(message.bytes.size()))) {
    return absl::InvalidArgumentError("the agent's message is not understood");
  }
  return parsed;
}

absl::Status Channel::Leave() {
  v1::FromPrompter message;
  message.mutable_leave();
  return Send(message);
}

absl::Status Channel::Fail(const std::string& text) {
  v1::FromPrompter message;
  message.mutable_fail()->set_message(text);
  return Send(message);
}

absl::Status Channel::Choose(const v1::Choose& choose, std::optional<std::string_view> pin) {
  v1::FromPrompter message;
  *message.mutable_choose() = choose;
  if (!pin) return Send(message);
  const absl::StatusOr<ipc::Descriptor> pipe = PipeWith(*pin);
  if (!pipe.ok()) return pipe.status();
  return Send(message, pipe->get());
}

absl::Status Channel::Send(const v1::FromPrompter& message, int descriptor) {
  const std::string bytes = message.SerializeAsString();
  const wire::BytesView view(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  ipc::OutgoingMessage outgoing(view, descriptor);
  while (true) {
    const absl::StatusOr<ipc::Progress> progress = outgoing.SendSome(socket_.get(), 0);
    if (!progress.ok()) return progress.status();
    if (*progress == ipc::Progress::kDone) return absl::OkStatus();
  }
}

}  // namespace signet::prompter
