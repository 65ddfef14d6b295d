#include "providers/host/hardening.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace signet::providers {
namespace {

absl::Status Failed(const char* what) {
  return absl::FailedPreconditionError(absl::StrCat(what, ": ", strerror(errno)));
}

}  // namespace

absl::Status HardenProcess(int socket) {
  // The kernel notes who made a socket pair; a parent that died before PR_SET_PDEATHSIG would
  // otherwise go unnoticed.
  ucred maker{};
  socklen_t size = sizeof(maker);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &maker, &size) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "descriptor ", socket, " is not a socket: signetd starts this program; see --help"));
  }
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return Failed("prctl(PR_SET_PDEATHSIG)");
  if (getppid() != maker.pid) {
    return absl::FailedPreconditionError(absl::StrCat("the parent did not make descriptor ", socket,
                                                      ": it died, or is not signetd; see --help"));
  }
  if (prctl(PR_SET_DUMPABLE, 0) != 0) return Failed("prctl(PR_SET_DUMPABLE)");
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return Failed("setrlimit(RLIMIT_CORE)");
  if (close_range(static_cast<unsigned>(socket) + 1, ~0U, 0) != 0) return Failed("close_range");
  signal(SIGINT, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  return absl::OkStatus();
}

}  // namespace signet::providers
