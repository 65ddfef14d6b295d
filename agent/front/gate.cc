#include "agent/front/gate.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/audit/audit_entry.h"

namespace signet::agent {
bool Gate::Has(uid_t uid, Right right) const {
  Caller caller;
  caller.uid = uid;
  return right == Right::kAdminister ? policy_.MayAdminister(caller) : policy_.MayUse(caller);
}

absl::StatusOr<Admission> Gate::Admit(const std::shared_ptr<const ipc::Peer>& peer, Right right) {
  const bool use = right != Right::kAdminister;
  if (!Has(peer->uid, right)) {
    if (Knows(peer->uid)) {
      const Caller caller = CallerOf(*peer);
      AuditEntry entry(audit_, use ? "use" : "administer", caller);
      entry.record().outcome = "access-denied";
    }
    return absl::PermissionDeniedError(
        absl::StrCat("access: uid ", peer->uid, " may not ", use ? "use" : "administer",
                     " this agent; its owner can admit it with [access] ", use ? "use" : "admin",
                     " in signet.toml"));
  }
  Caller caller = use ? callers_.LookUp(peer) : CallerOf(*peer);
  // After it was looked at: what was read was then about this process.
  auto process = std::make_shared<const PeerProcess>(peer, reader_);
  if (right != Right::kAuthenticate) {
    if (absl::Status unchanged = process->CheckUnchanged(); !unchanged.ok()) return unchanged;
  }
  std::optional<CallerLimits::Place> place = limits_.TakeRequest(peer->uid);
  if (!place) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "agent: uid ", peer->uid, " has too many requests in flight; wait for one to be answered"));
  }
  return Admission{std::move(caller), std::move(process), *std::move(place)};
}

}  // namespace signet::agent
