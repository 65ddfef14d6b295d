#include "agent/front/admin_audit.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace signet::agent {
namespace {

absl::string_view OutcomeOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return "done";
    case absl::StatusCode::kNotFound:
      return "not-found";
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
      return "refused";
    default:
      return "failed";
  }
}

}  // namespace

void Describe(const v1::LockTokenRequest& request, AuditRecord& record) {
  record.event = "lock";
  record.backend = request.backend();
  if (request.all()) record.detail = "all";
}

void Describe(const v1::CreateIdentityRequest& request, AuditRecord& record) {
  record.event = "identity-create";
  record.identity = request.name();
  record.backend = request.backend();
}

void Describe(const v1::CreateCsrRequest& request, AuditRecord& record) {
  record.event = "identity-csr";
  record.identity = request.name();
  record.detail = request.subject();
}

void Describe(const v1::ImportChainRequest& request, AuditRecord& record) {
  record.event = "identity-import";
  record.identity = request.name();
  if (request.next()) record.detail = "next";
}

void Describe(const v1::SwitchCertificateRequest& request, AuditRecord& record) {
  record.event = "identity-switch";
  record.identity = request.name();
  if (request.back()) record.detail = "back";
}

void Describe(const v1::RetireCertificateRequest& request, AuditRecord& record) {
  record.event = "identity-retire";
  record.identity = request.name();
}

void Describe(const v1::RemoveIdentityRequest& request, AuditRecord& record) {
  record.event = "identity-remove";
  record.identity = request.name();
  if (request.forget()) record.detail = "forget";
}

void Describe(const v1::AddRuleRequest& request, AuditRecord& record) {
  record.event = "rule-add";
  record.origin = request.rule().origin();
  record.identity = request.rule().identity();
  record.detail = request.rule().decision();
  if (!request.rule().program().empty()) {
    absl::StrAppend(&record.detail, " for ", request.rule().program());
  }
}

void SetOutcome(const absl::Status& status, AuditRecord& record) {
  record.outcome = std::string(OutcomeOf(status.code()));
  if (status.ok()) return;
  absl::StrAppend(&record.detail, record.detail.empty() ? "" : ": ", status.message());
}

void SetUnlockOutcome(const absl::Status& status, AuditRecord& record) {
  SetOutcome(status, record);
  if (status.code() == absl::StatusCode::kPermissionDenied) record.outcome = "wrong-pin";
  if (status.code() == absl::StatusCode::kResourceExhausted) record.outcome = "pin-blocked";
}

}  // namespace signet::agent
