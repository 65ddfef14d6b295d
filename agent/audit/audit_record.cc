#include "agent/audit/audit_record.h"

#include <climits>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "ipc/audit/chain.h"

namespace signet::agent {
namespace {

// Some fields are a caller's word and may be as long as a message.
constexpr size_t kMaxFieldLength = 512;
// A line with its newline goes into a pipe at once, or not at all.
constexpr size_t kMaxLineLength = PIPE_BUF - 96;

std::string Cut(absl::string_view text) {
  return absl::StrCat(text.substr(0, kMaxFieldLength), text.size() > kMaxFieldLength ? "..." : "");
}

void AddText(std::string& line, absl::string_view name, absl::string_view value) {
  if (!value.empty()) absl::StrAppend(&line, " ", name, "=\"", absl::CHexEscape(Cut(value)), "\"");
}

void AddText(audit::Fields& fields, const char* name, const std::string& value) {
  if (!value.empty()) fields[name] = Cut(value);
}

}  // namespace

std::string FormatAuditTime(std::chrono::system_clock::time_point time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::FromChrono(time), absl::UTCTimeZone());
}

std::string FormatAuditRecord(const AuditRecord& record) {
  std::string line = absl::StrCat("audit: event=", record.event, " outcome=", record.outcome);
  AddText(line, "identity", record.identity);
  AddText(line, "purpose", record.purpose);
  AddText(line, "claimed_origin", record.origin);
  AddText(line, "backend", record.backend);
  if (const auto& caller = record.caller) {
    absl::StrAppend(&line, " uid=", caller->uid, " gid=", caller->gid, " pid=", caller->pid);
    if (caller->executable) {
      AddText(line, "program", caller->executable->path);
    } else {
      absl::StrAppend(&line, " program=unknown");
    }
    AddText(line, "unit", caller->unit);
    AddText(line, "user_unit", caller->user_unit);
    AddText(line, "login_session", caller->login_session.id);
    AddText(line, "sandbox", caller->sandbox);
  }
  AddText(line, "rule", record.rule);
  absl::StrAppend(&line, " duration_us=", record.duration.count());
  AddText(line, "detail", record.detail);
  if (line.size() > kMaxLineLength) line.replace(kMaxLineLength - 3, std::string::npos, "...");
  return line;
}

audit::Fields ToFields(const AuditRecord& record) {
  audit::Fields fields = {{"time", FormatAuditTime(record.time)}, {"event", record.event}};
  AddText(fields, "outcome", record.outcome);
  AddText(fields, "identity", record.identity);
  AddText(fields, "purpose", record.purpose);
  AddText(fields, "origin", record.origin);
  AddText(fields, "backend", record.backend);
  if (const auto& caller = record.caller) {
    fields["uid"] = caller->uid;
    fields["gid"] = caller->gid;
    fields["pid"] = caller->pid;
    fields["start_time"] = caller->start_time;
    if (caller->executable) AddText(fields, "program", caller->executable->path);
    AddText(fields, "unit", caller->unit);
    AddText(fields, "user_unit", caller->user_unit);
    AddText(fields, "login_session", caller->login_session.id);
    AddText(fields, "sandbox", caller->sandbox);
    for (const ParentProcess& parent : caller->parents) {
      fields["parents"].push_back(absl::StrCat(Cut(parent.name), " (", parent.pid, ")"));
    }
  }
  AddText(fields, "rule", record.rule);
  AddText(fields, "detail", record.detail);
  fields["duration_us"] = record.duration.count();
  return fields;
}

}  // namespace signet::agent
