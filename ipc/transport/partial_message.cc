#include "ipc/transport/partial_message.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace signet::ipc {
namespace {

constexpr size_t kReadSize = 16 * 1024;
// Room to see that there is one too many; the kernel drops the rest and says so.
constexpr size_t kDescriptorRoom = 2;

absl::Status ErrnoStatus(const char* operation, int error) {
  return absl::UnavailableError(
      absl::StrCat("connection: ", operation, ": ", std::strerror(error), "; connect again"));
}

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

// Owns every descriptor that came, so that none can leak whatever is decided about them.
std::vector<Descriptor> TakeDescriptors(msghdr& header) {
  std::vector<Descriptor> descriptors;
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int descriptor;
      std::memcpy(&descriptor, CMSG_DATA(control) + i * sizeof(int), sizeof descriptor);
      descriptors.emplace_back(descriptor);
    }
  }
  return descriptors;
}

}  // namespace

absl::StatusOr<Progress> IncomingMessage::ReceiveSome(int socket, int flags) {
  if (!failure_.ok()) return failure_;
  uint8_t* to;
  size_t most;
  if (received_ < prefix_.size()) {
    to = prefix_.data() + received_;
    most = prefix_.size() - received_;
  } else {
    const size_t have = received_ - prefix_.size();
    most = std::min(kReadSize, length_ - have);
    message_.bytes.resize(have + most);
    to = message_.bytes.data() + have;
  }
  size_t count = 0;
  if (absl::Status status = Read(socket, flags, to, most, count); !status.ok()) {
    failure_ = status;
    message_ = {};
    return failure_;
  }
  if (count == 0) return Progress::kBlocked;
  if (absl::Status status = Accept(count); !status.ok()) {
    failure_ = status;
    message_ = {};
    return failure_;
  }
  const bool done = received_ >= prefix_.size() && received_ == prefix_.size() + length_;
  return done ? Progress::kDone : Progress::kMoved;
}

absl::Status IncomingMessage::Read(int socket, int flags, uint8_t* to, size_t most, size_t& count) {
  iovec piece{to, most};
  alignas(cmsghdr) char control[CMSG_SPACE(kDescriptorRoom * sizeof(int))];
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  const bool take = descriptors_ == Descriptors::kTaken;
  if (take) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
  }
  const ssize_t result = recvmsg(socket, &header, flags | MSG_CMSG_CLOEXEC);
  if (result < 0) return WouldBlock(errno) ? absl::OkStatus() : ErrnoStatus("receive", errno);

  std::vector<Descriptor> descriptors = TakeDescriptors(header);
  if ((take && (header.msg_flags & MSG_CTRUNC) != 0) ||
      descriptors.size() + (message_.descriptor ? 1 : 0) > 1) {
    return absl::InvalidArgumentError(
        "connection: receive: more descriptors than the one a message may carry, or than this "
        "process may open; send one, or raise the limit of open files");
  }
  if (!descriptors.empty()) message_.descriptor = std::move(descriptors.front());

  if (result == 0) {
    return begun() ? absl::UnavailableError(
                         "connection: receive: the peer closed it inside a message; connect again")
                   : absl::OutOfRangeError("connection: receive: the peer closed it");
  }
  count = static_cast<size_t>(result);
  return absl::OkStatus();
}

absl::Status IncomingMessage::Accept(size_t count) {
  const bool prefix_was_complete = received_ >= prefix_.size();
  received_ += count;
  if (prefix_was_complete || received_ < prefix_.size()) return absl::OkStatus();
  for (const uint8_t byte : prefix_) length_ = length_ << 8 | byte;
  return CheckMessageSize(length_);
}

Message IncomingMessage::Take() {
  message_.bytes.resize(length_);
  received_ = 0;
  length_ = 0;
  return std::exchange(message_, {});
}

OutgoingMessage::OutgoingMessage(wire::BytesView bytes, int descriptor)
    : bytes_(bytes), descriptor_(descriptor) {
  size_t length = bytes.size();
  for (auto byte = prefix_.rbegin(); byte != prefix_.rend(); ++byte, length >>= 8) {
    *byte = static_cast<uint8_t>(length);
  }
}

absl::StatusOr<Progress> OutgoingMessage::SendSome(int socket, int flags) {
  const size_t prefix_sent = std::min(sent_, prefix_.size());
  const wire::BytesView rest = bytes_.subspan(sent_ - prefix_sent);
  iovec pieces[] = {{prefix_.data() + prefix_sent, prefix_.size() - prefix_sent},
                    {const_cast<uint8_t*>(rest.data()), rest.size()}};
  msghdr header{};
  header.msg_iov = pieces;
  header.msg_iovlen = std::size(pieces);
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (descriptor_ >= 0 && !begun()) {  // with the first byte, once
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &descriptor_, sizeof descriptor_);
  }
  const ssize_t result = sendmsg(socket, &header, flags | MSG_NOSIGNAL);
  if (result < 0) {
    if (WouldBlock(errno)) return Progress::kBlocked;
    return ErrnoStatus("send", errno);
  }
  sent_ += static_cast<size_t>(result);
  return sent_ == prefix_.size() + bytes_.size() ? Progress::kDone : Progress::kMoved;
}

absl::Status CheckMessageSize(size_t size) {
  if (size <= wire::kMaxMessageSize) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("connection: a message of ", size,
                                                 " bytes is over the limit of ",
                                                 wire::kMaxMessageSize, "; send less"));
}

}  // namespace signet::ipc
