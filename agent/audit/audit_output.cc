#include "agent/audit/audit_output.h"

#include <poll.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace signet::agent {

std::string FormatAuditHead(const audit::Head& head) {
  return absl::StrCat("audit: head=", audit::ToHex(head.hash), " records=", head.seq);
}

void StderrAuditOutput::Write(const AuditRecord& record) { WriteLine(FormatAuditRecord(record)); }
void StderrAuditOutput::WriteHead(const audit::Head& head) { WriteLine(FormatAuditHead(head)); }
void StderrAuditOutput::Warn(const std::string& message) {
  WriteLine(absl::StrCat("audit: ", message));
}

void StderrAuditOutput::WriteLine(std::string line) {
  line += '\n';
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
