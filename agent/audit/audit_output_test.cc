#include "agent/audit/audit_output.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "agent/audit/journal_output.h"

namespace signet::agent {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

AuditRecord MakeRecord() {
  AuditRecord record;
  record.event = "authenticate";
  record.caller.emplace();
  record.caller->pid = 42;
  record.caller->uid = 1000;
  record.caller->gid = 100;
  record.caller->start_time = 777;
  record.caller->executable = Executable{1, 2, "/usr/bin/curl"};
  record.identity = "laptop";
  record.outcome = "authenticated";
  return record;
}

TEST(StderrAuditOutput, WritesOneLineEach) {
  const audit::Head head{12, audit::HashOf("abc")};
  ::testing::internal::CaptureStderr();
  StderrAuditOutput output;
  output.Write(MakeRecord());
  output.WriteHead(head);
  output.Warn("the trail can't be written");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            FormatAuditRecord(MakeRecord()) + "\naudit: head=" + audit::ToHex(head.hash) +
                " records=12\naudit: the trail can't be written\n");
}

TEST(StderrAuditOutput, AReaderThatDoesNotKeepUpHoldsNobodyUp) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const int before = dup(STDERR_FILENO);
  dup2(ends[1], STDERR_FILENO);
  StderrAuditOutput output;
  AuditRecord record = MakeRecord();
  record.detail.assign(1000, 'x');
  constexpr int kRecords = 1000;  // more than a pipe holds
  for (int i = 0; i < kRecords; ++i) output.Write(record);
  std::string text(1 << 20, '\0');
  text.resize(static_cast<size_t>(read(ends[0], text.data(), text.size())));
  const auto written = std::count(text.begin(), text.end(), '\n');
  output.Write(record);
  dup2(before, STDERR_FILENO);
  for (const int descriptor : {before, ends[1]}) close(descriptor);
  std::string after(1 << 20, '\0');
  after.resize(static_cast<size_t>(read(ends[0], after.data(), after.size())));
  close(ends[0]);
  EXPECT_EQ(text.back(), '\n') << "no line is cut";
  EXPECT_GT(written, 0);
  EXPECT_EQ(after, "audit: " + std::to_string(kRecords - written) + " records lost\n" +
                       FormatAuditRecord(record) + "\n");
}

TEST(JournalOutput, FieldsCanBeSearchedFor) {
  const std::vector<std::string> fields = JournalFields(MakeRecord());
  EXPECT_EQ(fields.front(), "MESSAGE=" + FormatAuditRecord(MakeRecord()));
  EXPECT_THAT(fields,
              IsSupersetOf({"PRIORITY=6", "SYSLOG_IDENTIFIER=signetd", "SIGNET_EVENT=authenticate",
                            "SIGNET_OUTCOME=authenticated", "SIGNET_IDENTITY=laptop",
                            "SIGNET_PROGRAM=/usr/bin/curl", "SIGNET_CALLER_UID=1000",
                            "SIGNET_CALLER_GID=100", "SIGNET_CALLER_PID=42",
                            "SIGNET_CALLER_START_TIME=777", "SIGNET_DURATION_US=0"}));
  EXPECT_THAT(fields, Not(Contains(HasSubstr("SIGNET_ORIGIN="))));
}

TEST(JournalOutput, IsForAnAgentWhoseStandardErrorIsTheJournal) {
  struct stat status {};
  ASSERT_EQ(fstat(STDERR_FILENO, &status), 0);
  const std::string stream = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
  unsetenv("JOURNAL_STREAM");
  EXPECT_FALSE(StderrIsJournal());
  setenv("JOURNAL_STREAM", stream.c_str(), 1);
  EXPECT_TRUE(StderrIsJournal());
  setenv("JOURNAL_STREAM", (stream + "1").c_str(), 1);  // inherited, and redirected since
  EXPECT_FALSE(StderrIsJournal());
  unsetenv("JOURNAL_STREAM");
}

}  // namespace
}  // namespace signet::agent
