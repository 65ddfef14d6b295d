// The systemd journal, for an agent that runs under it: the fields of a record as fields of a
// journal entry, which `journalctl SIGNET_IDENTITY=laptop` finds.
#ifndef SIGNET_AGENT_AUDIT_JOURNAL_OUTPUT_H_
#define SIGNET_AGENT_AUDIT_JOURNAL_OUTPUT_H_

#include <asio/thread_pool.hpp>
#include <string>
#include <vector>

#include "agent/audit/audit_output.h"

namespace signet::agent {

// Does standard error go to the journal (JOURNAL_STREAM of systemd.exec(5))? Then entries can too.
bool StderrIsJournal();

// The entry's fields, "NAME=value" each: MESSAGE is FormatAuditRecord's line.
std::vector<std::string> JournalFields(const AuditRecord& record);

// Entries are sent by `file_worker`, since the journal's socket may block; one that the journal
// does not take goes to standard error. The pool outlives it, and has run out of work before it
// ends.
class JournalOutput final : public AuditOutput {
 public:
  explicit JournalOutput(asio::thread_pool& file_worker) : file_worker_(file_worker) {}

  void Write(const AuditRecord& record) override;
  void WriteHead(const audit::Head& head) override;
  void Warn(const std::string& message) override;

 private:
  void Send(std::vector<std::string> fields);

  asio::thread_pool& file_worker_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_AUDIT_JOURNAL_OUTPUT_H_
