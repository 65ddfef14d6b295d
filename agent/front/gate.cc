#include "agent/front/gate.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace signet::agent {
namespace {

Caller ToCaller(const ipc::Peer& peer) {
  Caller caller;
  caller.pid = peer.pid;
  caller.uid = peer.uid;
  caller.gid = peer.gid;
  caller.start_time = peer.start_time;
  if (peer.executable) {
    caller.executable =
        Executable{peer.executable->device, peer.executable->inode, peer.executable->path};
  }
  return caller;
}

}  // namespace

bool Gate::Has(uid_t uid, Right right) const {
  Caller caller;
  caller.uid = uid;
  return right == Right::kUse ? policy_.MayUse(caller) : policy_.MayAdminister(caller);
}

absl::StatusOr<Admission> Gate::Admit(const ipc::Peer& peer, Right right) {
  if (absl::Status unchanged = ipc::CheckUnchanged(peer); !unchanged.ok()) return unchanged;
  Caller caller = ToCaller(peer);
  const bool use = right == Right::kUse;
  if (!Has(caller.uid, right)) {
    return absl::PermissionDeniedError(
        absl::StrCat("access: uid ", caller.uid, " may not ", use ? "use" : "administer",
                     " this agent; its owner can admit it with [access] ", use ? "use" : "admin",
                     " in signet.toml"));
  }
  std::optional<CallerLimits::Place> place = limits_.TakeRequest(caller.uid);
  if (!place) {
    return absl::ResourceExhaustedError(
        absl::StrCat("agent: uid ", caller.uid,
                     " has too many requests in flight; wait for one to be answered"));
  }
  return Admission{std::move(caller), *std::move(place)};
}

}  // namespace signet::agent
