// The audit record of one call, written when the call ends, whichever way it ends.
#ifndef SIGNET_AGENT_AUDIT_AUDIT_ENTRY_H_
#define SIGNET_AGENT_AUDIT_AUDIT_ENTRY_H_

#include <chrono>
#include <string>
#include <utility>

#include "agent/audit/audit_log.h"

namespace signet::agent {

// "cancelled" until an outcome is set. Borrows log and caller.
class AuditEntry {
 public:
  AuditEntry(AuditLog& log, std::string event, const Caller& caller) : log_(log), caller_(caller) {
    record_.event = std::move(event);
    record_.outcome = "cancelled";
  }
  AuditEntry(const AuditEntry&) = delete;
  AuditEntry& operator=(const AuditEntry&) = delete;
  ~AuditEntry() {
    record_.caller = caller_;  // as it was found out by now
    record_.duration = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - begin_);
    log_.Write(record_);
  }

  // For what is found out on the way.
  AuditRecord& record() { return record_; }

 private:
  AuditLog& log_;
  const Caller& caller_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  AuditRecord record_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_AUDIT_AUDIT_ENTRY_H_
