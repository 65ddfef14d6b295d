// Where decisions are recorded: all that the core knows of the audit.
#ifndef SIGNET_AGENT_AUDIT_AUDIT_LOG_H_
#define SIGNET_AGENT_AUDIT_AUDIT_LOG_H_

#include "absl/status/status.h"
#include "agent/audit/audit_record.h"

namespace signet::agent {

// Loop thread only; never blocks.
class AuditLog {
 public:
  virtual ~AuditLog() = default;

  virtual void Write(const AuditRecord& record) = 0;

  // May a proof be given? kUnavailable, with the reason and the next step, while records must be
  // written and can't be.
  virtual absl::Status CheckRecording() const = 0;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_AUDIT_AUDIT_LOG_H_
