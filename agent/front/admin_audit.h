// What is recorded of an administrator's calls, those that change something or use a key.
#ifndef SIGNET_AGENT_FRONT_ADMIN_AUDIT_H_
#define SIGNET_AGENT_FRONT_ADMIN_AUDIT_H_

#include "absl/status/status.h"
#include "agent/audit/audit_record.h"
#include "ipc/admin.pb.h"

namespace signet::agent {

// The event, and what it is about.
void Describe(const v1::LockTokenRequest& request, AuditRecord& record);
void Describe(const v1::CreateIdentityRequest& request, AuditRecord& record);
void Describe(const v1::CreateCsrRequest& request, AuditRecord& record);
void Describe(const v1::ImportChainRequest& request, AuditRecord& record);
void Describe(const v1::SwitchCertificateRequest& request, AuditRecord& record);
void Describe(const v1::RetireCertificateRequest& request, AuditRecord& record);
void Describe(const v1::RemoveIdentityRequest& request, AuditRecord& record);
void Describe(const v1::AddRuleRequest& request, AuditRecord& record);

// "done", "not-found", "refused" or "failed", with what the status says.
void SetOutcome(const absl::Status& status, AuditRecord& record);
// The same; of an unlocking also "wrong-pin" and "pin-blocked".
void SetUnlockOutcome(const absl::Status& status, AuditRecord& record);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_FRONT_ADMIN_AUDIT_H_
