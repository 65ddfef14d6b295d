#include "agent/hardening.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace signet::agent {
namespace {

constexpr rlim_t kMaxDescriptors = 65536;

absl::Status Failure(const char* operation) {
  return absl::InternalError(absl::StrCat("hardening: ", operation, ": ", std::strerror(errno)));
}

}  // namespace

absl::Status HardenProcess() {
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return Failure("prctl(PR_SET_DUMPABLE)");
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return Failure("setrlimit(RLIMIT_CORE)");

  rlimit descriptors{};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return Failure("getrlimit(RLIMIT_NOFILE)");
  descriptors.rlim_cur = std::min(descriptors.rlim_max, kMaxDescriptors);
  if (setrlimit(RLIMIT_NOFILE, &descriptors) != 0) return Failure("setrlimit(RLIMIT_NOFILE)");

  umask(077);
  if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) return Failure("signal(SIGPIPE)");
  return absl::OkStatus();
}

size_t MaxDescriptors() {
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);
  return descriptors.rlim_cur;
}

}  // namespace signet::agent
