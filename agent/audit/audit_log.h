// One record per decision. Never a PIN, key, signature, message byte or handshake context.
#ifndef SIGNET_AGENT_AUDIT_AUDIT_LOG_H_
#define SIGNET_AGENT_AUDIT_AUDIT_LOG_H_

#include <chrono>
#include <string>

#include "agent/policy/caller.h"

namespace signet::agent {

struct AuditRecord {
  Caller caller;
  std::string origin;    // the caller's claim
  std::string identity;  // empty when none was chosen
  std::string outcome;   // "authenticated", or the decline reason's name
  std::string detail;
  std::chrono::microseconds duration{};
};

class AuditLog {
 public:
  virtual ~AuditLog() = default;
  virtual void Write(const AuditRecord& record) = 0;
};

// One line of key=value pairs without a newline; what a caller or a token said is quoted, escaped
// and cut to a bounded length.
std::string FormatAuditRecord(const AuditRecord& record);

// To standard error, one line each, control characters escaped; systemd's journal collects it.
// Never blocks: what a reader that does not keep up leaves no room for is lost, and counted in the
// next line that gets through.
class StderrAuditLog : public AuditLog {
 public:
  void Write(const AuditRecord& record) override;

 private:
  size_t lost_ = 0;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_AUDIT_AUDIT_LOG_H_
