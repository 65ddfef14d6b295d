#include "ipc/transport/blocking_channel.h"

#include <poll.h>
#include <sys/socket.h>

#include "absl/strings/str_cat.h"
#include "ipc/transport/unix_connect.h"

namespace signet::ipc {
namespace {

// An error or a hang-up ends the wait too; the next call on the socket names it.
void WaitFor(int socket, short events) {
  pollfd entry{socket, events, 0};
  poll(&entry, 1, -1);
}

}  // namespace

absl::StatusOr<BlockingChannel> BlockingChannel::Connect(const std::string& path) {
  absl::StatusOr<Descriptor> socket = ConnectUnix(path);
  if (socket.ok()) return BlockingChannel(*std::move(socket));
  const absl::Status& error = socket.status();
  if (absl::IsPermissionDenied(error)) {
    return absl::PermissionDeniedError(
        absl::StrCat(error.message(), "; you may not use this agent"));
  }
  if (absl::IsUnavailable(error)) {
    return absl::UnavailableError(
        absl::StrCat(error.message(), "; is signetd running, and is this its socket?"));
  }
  return error;
}

absl::StatusOr<BlockingMessage> BlockingChannel::Receive() {
  // A receive that blocks would be woken once more for nothing, when the peer reads what we sent.
  WaitFor(socket_.get(), POLLIN);
  for (;;) {
    absl::StatusOr<Progress> progress = incoming_.ReceiveSome(socket_.get(), MSG_DONTWAIT);
    if (!progress.ok()) return progress.status();
    if (*progress == Progress::kDone) return incoming_.Take();
    if (*progress == Progress::kBlocked) WaitFor(socket_.get(), POLLIN);
  }
}

bool BlockingChannel::WaitForInputOr(int other) {
  for (;;) {
    pollfd entries[] = {{socket_.get(), POLLIN, 0}, {other, POLLIN, 0}};
    poll(entries, 2, -1);
    if (entries[0].revents != 0) return true;
    if (entries[1].revents != 0) return false;
  }
}

absl::Status BlockingChannel::Send(wire::BytesView bytes, int descriptor) {
  if (absl::Status status = CheckMessageSize(bytes.size()); !status.ok()) return status;
  OutgoingMessage outgoing(bytes, descriptor);
  for (;;) {
    absl::StatusOr<Progress> progress = outgoing.SendSome(socket_.get(), 0);
    if (!progress.ok()) return progress.status();
    if (*progress == Progress::kDone) return absl::OkStatus();
    if (*progress == Progress::kBlocked) WaitFor(socket_.get(), POLLOUT);
  }
}

}  // namespace signet::ipc
