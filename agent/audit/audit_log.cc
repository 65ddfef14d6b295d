#include "agent/audit/audit_log.h"

#include <cstdio>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace signet::agent {
namespace {

// Some fields are a caller's word and may be as long as a message.
constexpr size_t kMaxFieldLength = 512;

std::string Quoted(absl::string_view text) {
  const bool cut = text.size() > kMaxFieldLength;
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, kMaxFieldLength)), cut ? "..." : "",
                      "\"");
}

}  // namespace

std::string FormatAuditRecord(const AuditRecord& record) {
  const Caller& caller = record.caller;
  return absl::StrCat("audit: outcome=", record.outcome, " identity=", Quoted(record.identity),
                      " claimed_origin=", Quoted(record.origin), " uid=", caller.uid,
                      " pid=", caller.pid,
                      " program=", caller.executable ? Quoted(caller.executable->path) : "unknown",
                      " duration_us=", record.duration.count(), " detail=", Quoted(record.detail));
}

void StderrAuditLog::Write(const AuditRecord& record) {
  const std::string line = absl::StrCat(FormatAuditRecord(record), "\n");
  // One call, so that lines of other threads don't mix in. Nothing can be done when it fails.
  (void)std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace signet::agent
