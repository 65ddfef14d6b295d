#include "ipc/transport/peer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ipc/transport/process_stat.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77  // Linux 6.5; not in Debian 12's headers
#endif

namespace signet::ipc {
namespace {

// As far as its user: before it are a name of at most 30 bytes and seven short lines.
constexpr size_t kMaxStatus = 512;

std::optional<uint64_t> StartTime(pid_t pid) {
  const std::optional<ProcessStat> stat = ReadProcessStat(pid);
  return stat ? std::optional(stat->start_time) : std::nullopt;
}

// The file itself through the kernel's link, not whatever lies at its path now; without the path.
// Which file it is does not change, so a file system that answers slowly (NFS, or FUSE in the
// caller's own hands) is not asked.
std::optional<PeerExecutable> ExecutableOf(pid_t pid) {
  struct statx file;
  if (statx(AT_FDCWD, ProcPath(pid, "exe").c_str(), AT_STATX_DONT_SYNC, STATX_INO, &file) != 0) {
    return std::nullopt;
  }
  return PeerExecutable{makedev(file.stx_dev_major, file.stx_dev_minor), file.stx_ino, {}};
}

std::string ExecutablePath(pid_t pid) {
  std::array<char, PATH_MAX> path;
  const ssize_t length = readlink(ProcPath(pid, "exe").c_str(), path.data(), path.size());
  return length > 0 ? std::string(path.data(), static_cast<size_t>(length)) : std::string();
}

// Nothing when it can't be seen any more (hidepid).
std::optional<uid_t> EffectiveUid(const Peer& peer) {
  if (peer.status.valid()) {
    const std::optional<std::string> status = ReadKernelFile(peer.status, kMaxStatus);
    return status ? EffectiveUidOfStatus(*status) : std::nullopt;
  }
  // Its folder is the process's own, or root's when it may not be traced: then its status tells.
  struct statx folder;
  if (statx(AT_FDCWD, ProcPath(peer.pid, "").c_str(), AT_STATX_DONT_SYNC, STATX_UID, &folder) ==
          0 &&
      folder.stx_uid == peer.uid) {
    return peer.uid;
  }
  const std::optional<std::string> status =
      ReadKernelFile(ProcPath(peer.pid, "status"), kMaxStatus);
  return status ? EffectiveUidOfStatus(*status) : std::nullopt;
}

bool Lives(const Descriptor& pidfd) {
  pollfd entry{pidfd.get(), POLLIN, 0};  // readable once the process has ended
  return poll(&entry, 1, 0) == 0;
}

absl::Status Gone(pid_t pid) {
  return absl::UnavailableError(absl::StrCat("peer: process ", pid, " has ended; connect again"));
}

// The kernel's own handle of the process that connected; an invalid one on kernels without it.
absl::StatusOr<Descriptor> PeerPidfd(int socket) {
  int pidfd = -1;
  socklen_t size = sizeof pidfd;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0) return Descriptor(pidfd);
  if (errno == ENOPROTOOPT) return Descriptor();
  return absl::UnavailableError(
      absl::StrCat("peer: read its process: ", std::strerror(errno), "; connect again"));
}

// The pid and the descriptor name one process if its start time is the same before and after.
// Between connect and here the pid may have been given to another process: only SO_PEERPIDFD closes
// that gap.
absl::StatusOr<Descriptor> OpenPidfd(pid_t pid) {
  const std::optional<uint64_t> before = StartTime(pid);
  Descriptor pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!before || !pidfd.valid() || StartTime(pid) != before) return Gone(pid);
  return pidfd;
}

}  // namespace

absl::StatusOr<Peer> IdentifyPeer(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return absl::UnavailableError(
        absl::StrCat("peer: read credentials: ", std::strerror(errno), "; connect again"));
  }
  if (credentials.pid <= 0) {
    return absl::UnavailableError(
        "peer: its process can't be seen from the agent's pid namespace; run the agent outside it");
  }
  absl::StatusOr<Descriptor> pidfd = PeerPidfd(socket);
  if (pidfd.ok() && !pidfd->valid()) pidfd = OpenPidfd(credentials.pid);
  if (!pidfd.ok()) return pidfd.status();

  Peer peer;
  peer.pid = credentials.pid;
  peer.uid = credentials.uid;
  peer.gid = credentials.gid;
  peer.pidfd = *std::move(pidfd);
  const std::optional<uint64_t> start_time = StartTime(peer.pid);
  peer.executable = ExecutableOf(peer.pid);
  if (peer.executable) peer.executable->path = ExecutablePath(peer.pid);
  if (peer.uid == 0) peer.status = OpenKernelFile(ProcPath(peer.pid, "status"));
  const bool complete = start_time && (peer.uid != 0 || peer.status.valid());
  // Alive after the reading means that all of it was about this process.
  if (!complete || !Lives(peer.pidfd)) return Gone(peer.pid);
  peer.start_time = *start_time;
  return peer;
}

absl::Status CheckUnchanged(const Peer& peer) {
  const auto denied = [&](const char* what) {
    return absl::PermissionDeniedError(absl::StrCat("peer: process ", peer.pid, " ", what));
  };
  const std::optional<PeerExecutable> executable = ExecutableOf(peer.pid);
  const std::optional<uid_t> uid = EffectiveUid(peer);
  // Alive after the reading: until a process has ended nobody else gets its pid.
  if (!Lives(peer.pidfd)) return denied("has ended; connect again");
  if (uid != peer.uid) {
    return denied("runs as another user than when it connected; connect again");
  }
  // One that could not be read stays unknown: it matches no rule with a program.
  if (!peer.executable) return absl::OkStatus();
  if (!executable) return denied("no longer shows what it runs; connect again");
  if (executable->device != peer.executable->device ||
      executable->inode != peer.executable->inode) {
    return denied("runs another program than when it connected; connect again");
  }
  return absl::OkStatus();
}

}  // namespace signet::ipc
