// The audit record of one call, written when the call ends, whichever way it ends. Private to
// agent/authentication.
#ifndef SIGNET_AGENT_AUTHENTICATION_AUDIT_ENTRY_H_
#define SIGNET_AGENT_AUTHENTICATION_AUDIT_ENTRY_H_

#include <chrono>
#include <string>

#include "agent/audit/audit_log.h"
#include "agent/authentication/authentication.h"

namespace signet::agent {

// "cancelled" until an outcome is set. Borrows log and call.
class AuditEntry {
 public:
  AuditEntry(AuditLog& log, const AuthenticationCall& call) : log_(log), call_(call) {
    record_.origin = call.origin;
    record_.outcome = "cancelled";
  }
  AuditEntry(const AuditEntry&) = delete;
  AuditEntry& operator=(const AuditEntry&) = delete;
  ~AuditEntry() {
    record_.caller = call_.caller;
    record_.duration = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - begin_);
    log_.Write(record_);
  }

  // The one that was chosen.
  std::string& identity() { return record_.identity; }

  void SetOutcome(const Outcome& outcome) {
    if (const auto* declined = std::get_if<Declined>(&outcome)) {
      record_.outcome = Name(declined->reason);
      record_.detail = declined->detail;
    } else {
      record_.outcome = "authenticated";
    }
  }

 private:
  AuditLog& log_;
  const AuthenticationCall& call_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  AuditRecord record_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_AUTHENTICATION_AUDIT_ENTRY_H_
