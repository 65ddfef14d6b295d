#include "agent/audit/journal_output.h"

#include <sys/stat.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <asio/post.hpp>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace signet::agent {
namespace {

std::vector<std::string> Entry(absl::string_view message, int priority, absl::string_view event) {
  return {absl::StrCat("MESSAGE=", message), absl::StrCat("PRIORITY=", priority),
          "SYSLOG_IDENTIFIER=signetd", absl::StrCat("SIGNET_EVENT=", event)};
}

void SendSlowly(const std::vector<std::string>& fields) {
  std::vector<iovec> parts;
  parts.reserve(fields.size());
  for (const std::string& field : fields) {
    parts.push_back({const_cast<char*>(field.data()), field.size()});
  }
  if (sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) >= 0) return;
  const std::string line = absl::StrCat(fields.front().substr(sizeof("MESSAGE=") - 1), "\n");
  (void)!write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

bool StderrIsJournal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  return stream != nullptr && fstat(STDERR_FILENO, &status) == 0 &&
         absl::StrCat(status.st_dev, ":", status.st_ino) == stream;
}

std::vector<std::string> JournalFields(const AuditRecord& record) {
  std::vector<std::string> entry = Entry(FormatAuditRecord(record), LOG_INFO, record.event);
  const audit::Fields fields = ToFields(record);
  for (const auto& [name, value] : fields.items()) {
    if (name == "event" || name == "time") continue;  // the journal has its own clock
    // _PID, _UID and _GID are those of the agent, by the journal's word.
    const bool of_caller = name == "pid" || name == "uid" || name == "gid" || name == "start_time";
    entry.push_back(
        absl::StrCat(of_caller ? "SIGNET_CALLER_" : "SIGNET_", absl::AsciiStrToUpper(name), "=",
                     value.is_string() ? value.get_ref<const std::string&>() : value.dump()));
  }
  return entry;
}

void JournalOutput::Write(const AuditRecord& record) { Send(JournalFields(record)); }

void JournalOutput::WriteHead(const audit::Head& head) {
  std::vector<std::string> entry = Entry(FormatAuditHead(head), LOG_NOTICE, "head");
  entry.push_back(absl::StrCat("SIGNET_HEAD=", audit::ToHex(head.hash)));
  entry.push_back(absl::StrCat("SIGNET_RECORDS=", head.seq));
  Send(std::move(entry));
}

void JournalOutput::Warn(const std::string& message) {
  Send(Entry(absl::StrCat("audit: ", message), LOG_WARNING, "warning"));
}

void JournalOutput::Send(std::vector<std::string> fields) {
  asio::post(file_worker_, [fields = std::move(fields)] { SendSlowly(fields); });
}

}  // namespace signet::agent
