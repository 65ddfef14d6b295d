#include "agent/front/gate.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace signet::agent {
bool Gate::Has(uid_t uid, Right right) const {
  Caller caller;
  caller.uid = uid;
  return right == Right::kUse ? policy_.MayUse(caller) : policy_.MayAdminister(caller);
}

absl::StatusOr<Admission> Gate::Admit(const std::shared_ptr<const ipc::Peer>& peer, Right right) {
  const bool use = right == Right::kUse;
  if (!Has(peer->uid, right)) {
    return absl::PermissionDeniedError(
        absl::StrCat("access: uid ", peer->uid, " may not ", use ? "use" : "administer",
                     " this agent; its owner can admit it with [access] ", use ? "use" : "admin",
                     " in signet.toml"));
  }
  Caller caller = use ? callers_.LookUp(peer) : CallerOf(*peer);
  // After it was looked at: what was read was then about this process.
  if (absl::Status unchanged = ipc::CheckUnchanged(*peer); !unchanged.ok()) return unchanged;
  std::optional<CallerLimits::Place> place = limits_.TakeRequest(peer->uid);
  if (!place) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "agent: uid ", peer->uid, " has too many requests in flight; wait for one to be answered"));
  }
  return Admission{std::move(caller), *std::move(place)};
}

}  // namespace signet::agent
