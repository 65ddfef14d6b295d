#include "ipc/transport/grpc_peers.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "absl/status/status.h"

namespace signet::ipc {
namespace {

int DescriptorLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 1 << 30));
}

std::optional<uint64_t> Cookie(int socket) {
  uint64_t cookie;
  socklen_t size = sizeof cookie;
  if (getsockopt(socket, SOL_SOCKET, SO_COOKIE, &cookie, &size) != 0) return std::nullopt;
  return cookie;
}

// The N of "fd:N".
std::optional<int> NumberOf(std::string_view grpc_peer) {
  constexpr std::string_view kPrefix = "fd:";
  if (!grpc_peer.starts_with(kPrefix)) return std::nullopt;
  grpc_peer.remove_prefix(kPrefix.size());
  int number;
  const char* end = grpc_peer.data() + grpc_peer.size();
  const auto [rest, error] = std::from_chars(grpc_peer.data(), end, number);
  if (error != std::errc() || rest != end) return std::nullopt;
  return number;
}

}  // namespace

GrpcPeers::GrpcPeers()
    : first_(DescriptorLimit() / 2),
      last_(std::min(DescriptorLimit(), first_ + kNumbers) - 1),
      next_(first_) {}

absl::StatusOr<Descriptor> GrpcPeers::Admit(Descriptor connection) {
  absl::StatusOr<Peer> peer = IdentifyPeer(connection.get());
  if (!peer.ok()) return peer.status();
  const std::optional<uint64_t> cookie = Cookie(connection.get());
  if (!cookie)
    return absl::UnavailableError("peer: read the socket's cookie: failed; connect again");

  const std::lock_guard lock(mutex_);
  Prune();
  Descriptor number = Duplicate(connection);
  if (!number.valid()) {
    return absl::ResourceExhaustedError(
        "peer: no descriptor is free; raise the limit of open files");
  }
  entries_.insert_or_assign(number.get(),
                            Entry{*cookie, std::make_shared<const Peer>(*std::move(peer))});
  return number;
}

std::shared_ptr<const Peer> GrpcPeers::Find(std::string_view grpc_peer) const {
  const std::optional<int> number = NumberOf(grpc_peer);
  if (!number) return nullptr;
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(*number);
  if (entry == entries_.end() || Cookie(*number) != entry->second.cookie) return nullptr;
  return entry->second.peer;
}

size_t GrpcPeers::Count() {
  const std::lock_guard lock(mutex_);
  Prune();
  return entries_.size();
}

size_t GrpcPeers::Count(uid_t uid) {
  return Count([uid](uid_t other) { return other == uid; });
}

size_t GrpcPeers::Count(const std::function<bool(uid_t)>& which) {
  const std::lock_guard lock(mutex_);
  Prune();
  return static_cast<size_t>(
      std::count_if(entries_.begin(), entries_.end(),
                    [&](const auto& entry) { return which(entry.second.peer->uid); }));
}

Descriptor GrpcPeers::Duplicate(const Descriptor& connection) {
  const auto above = [&](int lowest) {
    Descriptor copy(fcntl(connection.get(), F_DUPFD_CLOEXEC, lowest));
    return copy.get() <= last_ ? std::move(copy) : Descriptor();
  };
  Descriptor copy = above(next_);
  if (!copy.valid()) copy = above(first_);
  if (copy.valid()) next_ = copy.get() < last_ ? copy.get() + 1 : first_;
  return copy;
}

void GrpcPeers::Prune() {
  std::erase_if(entries_,
                [](const auto& entry) { return Cookie(entry.first) != entry.second.cookie; });
}

}  // namespace signet::ipc
