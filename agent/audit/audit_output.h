// Where people look first: each record as it comes, and what the trail has to say of itself.
#ifndef SIGNET_AGENT_AUDIT_AUDIT_OUTPUT_H_
#define SIGNET_AGENT_AUDIT_AUDIT_OUTPUT_H_

#include <string>

#include "agent/audit/audit_record.h"
#include "ipc/audit/chain.h"

namespace signet::agent {

// Loop thread only; never blocks.
class AuditOutput {
 public:
  virtual ~AuditOutput() = default;

  virtual void Write(const AuditRecord& record) = 0;
  // Of the trail's files, to be held against them later: signet audit verify --head.
  virtual void WriteHead(const audit::Head& head) = 0;
  virtual void Warn(const std::string& message) = 0;
};

std::string FormatAuditHead(const audit::Head& head);

// To standard error, one line each, control characters escaped. Never blocks: what a reader that
// does not keep up leaves no room for is lost, and counted in the next line that gets through.
class StderrAuditOutput final : public AuditOutput {
 public:
  void Write(const AuditRecord& record) override;
  void WriteHead(const audit::Head& head) override;
  void Warn(const std::string& message) override;

 private:
  void WriteLine(std::string line);

  size_t lost_ = 0;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_AUDIT_AUDIT_OUTPUT_H_
