#include "agent/front/unlocking.h"

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "agent/audit/audit_entry.h"
#include "agent/front/admin_audit.h"
#include "agent/front/messages.h"

namespace signet::agent {
namespace {

// Enough for a backend to find one that has a PIN, and far from what a message may have.
constexpr size_t kMostKeys = 64;
// Longer than readers wait for a person.
constexpr std::chrono::minutes kPatienceAtPinPad{2};

}  // namespace

std::optional<BackendStatus> Unlocking::StatusOf(const std::string& backend) const {
  for (const BackendStatus& status : tokens_.Statuses()) {
    if (status.name == backend) return status;
  }
  return std::nullopt;
}

asio::awaitable<absl::Status> Unlocking::Unlock(Caller caller, std::string backend,
                                                ipc::Descriptor pin, LastTry last_try) {
  AuditEntry entry(audit_, "unlock", caller);
  entry.record().backend = backend;
  const Deadline now = std::chrono::steady_clock::now();
  const std::optional<BackendStatus> token = StatusOf(backend);
  const Deadline deadline = token && token->pin_pad ? now + kPatienceAtPinPad : ToDeadline(0, now);
  const std::shared_ptr<const Identities> identities = identities_.snapshot();
  std::vector<wire::Bytes> keys;
  for (const Identity& identity : *identities) {
    if (identity.key.backend == backend && keys.size() < kMostKeys) {
      keys.push_back(identity.key.reference);
    }
  }
  absl::Status unlocked = co_await tokens_.Unlock(std::move(backend), std::move(keys),
                                                  std::move(pin), last_try, deadline);
  SetUnlockOutcome(unlocked, entry.record());
  co_return unlocked;
}

}  // namespace signet::agent
