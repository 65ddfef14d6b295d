#include "ipc/transport/blocking_channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "ipc/transport/unix_address.h"

namespace signet::ipc {
namespace {

// An error or a hang-up ends the wait too; the next call on the socket names it.
void WaitFor(int socket, short events) {
  pollfd entry{socket, events, 0};
  poll(&entry, 1, -1);
}

}  // namespace

absl::StatusOr<BlockingChannel> BlockingChannel::Connect(const std::string& path) {
  absl::StatusOr<sockaddr_un> address = UnixAddress(path);
  if (!address.ok()) return address.status();
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("socket ", path, ": create: ", std::strerror(errno)));
  }
  int result;
  do {
    result = connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return BlockingChannel(std::move(socket));

  const int error = errno;
  const std::string what = absl::StrCat("socket ", path, ": connect: ", std::strerror(error));
  if (error == EACCES || error == EPERM) {
    return absl::PermissionDeniedError(absl::StrCat(what, "; you may not use this agent"));
  }
  return absl::UnavailableError(
      absl::StrCat(what, "; is signetd running, and is this its socket?"));
}

absl::StatusOr<BlockingMessage> BlockingChannel::Receive() {
  for (;;) {
    absl::StatusOr<Progress> progress = incoming_.ReceiveSome(socket_.get(), 0);
    if (!progress.ok()) return progress.status();
    if (*progress == Progress::kDone) return incoming_.Take();
    if (*progress == Progress::kBlocked) WaitFor(socket_.get(), POLLIN);
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
