// May this request be served? Asked anew for each one, whichever socket it came through.
#ifndef SIGNET_AGENT_FRONT_GATE_H_
#define SIGNET_AGENT_FRONT_GATE_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/audit/audit_log.h"
#include "agent/caller/callers.h"
#include "agent/caller/peer_process.h"
#include "agent/caller/process_reader.h"
#include "agent/front/caller_limits.h"
#include "agent/policy/caller.h"
#include "agent/policy/policy.h"
#include "ipc/transport/peer.h"

namespace signet::agent {

// To have identities listed and to administer the agent need the process that connected; to
// authenticate as well, but that is checked later, at the call, by whoever also audits it.
enum class Right : uint8_t { kAuthenticate, kUse, kAdminister };

// A request let in: who asks, and its place among that uid's requests until it is answered.
struct Admission {
  Caller caller;
  std::shared_ptr<const PeerProcess> process;
  CallerLimits::Place place;
};

// Loop thread only; the references outlive it. Whoever may use the agent and tries to administer it
// is recorded; strangers are not: they could fill the records with nothing else.
class Gate {
 public:
  Gate(const Policy& policy, CallerLimits& limits, ProcessReader& reader, AuditLog& audit)
      : policy_(policy), limits_(limits), reader_(reader), audit_(audit) {}

  bool Has(uid_t uid, Right right) const;
  // Any right at all?
  bool Knows(uid_t uid) const { return Has(uid, Right::kUse) || Has(uid, Right::kAdminister); }

  // A place for a connection to agent.sock; nothing when all are taken that this uid may have.
  std::optional<CallerLimits::Place> TakeConnection(uid_t uid) {
    return Knows(uid) ? limits_.TakeConnection(uid) : limits_.TakeStrangersConnection();
  }

  // kPermissionDenied when the process is no longer the one that connected, or [access] does not
  // admit it (the message names the setting and the uid); kResourceExhausted when its uid has too
  // many requests in flight.
  absl::StatusOr<Admission> Admit(const std::shared_ptr<const ipc::Peer>& peer, Right right);

 private:
  const Policy& policy_;
  CallerLimits& limits_;
  ProcessReader& reader_;
  AuditLog& audit_;
  Callers callers_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_FRONT_GATE_H_
