#include "agent/audit/audit_log.h"

#include <poll.h>
#include <unistd.h>

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
  std::string line = absl::StrCat(FormatAuditRecord(record), "\n");
  if (lost_ > 0) line = absl::StrCat("audit: ", lost_, " records lost\n", line);
  pollfd room{STDERR_FILENO, POLLOUT, 0};  // a pipe then takes PIPE_BUF bytes, more than a line has
  if (poll(&room, 1, 0) != 1 || (room.revents & POLLOUT) == 0) {
    ++lost_;
    return;
  }
  // One call, so that lines of other threads don't mix in. Nothing can be done when it fails.
  (void)!write(STDERR_FILENO, line.data(), line.size());
  lost_ = 0;
}

}  // namespace signet::agent
