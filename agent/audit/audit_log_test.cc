#include "agent/audit/audit_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <string>

namespace signet::agent {
namespace {

using ::testing::HasSubstr;

AuditRecord MakeRecord() {
  AuditRecord record;
  record.caller.pid = 42;
  record.caller.uid = 1000;
  record.caller.executable = Executable{1, 2, "/usr/bin/curl"};
  record.origin = "https://a.example";
  record.identity = "laptop";
  record.outcome = "denied";
  record.detail = "no rule";
  record.duration = std::chrono::microseconds(1234);
  return record;
}

TEST(AuditLog, SaysWhoGotWhatWhereAndHowLongItTook) {
  EXPECT_EQ(FormatAuditRecord(MakeRecord()),
            "audit: outcome=denied identity=\"laptop\" claimed_origin=\"https://a.example\" "
            "uid=1000 pid=42 program=\"/usr/bin/curl\" duration_us=1234 detail=\"no rule\"");
}

TEST(AuditLog, AnUnknownProgramIsCalledThat) {
  AuditRecord record = MakeRecord();
  record.caller.executable.reset();
  EXPECT_THAT(FormatAuditRecord(record), HasSubstr("program=unknown "));
}

TEST(AuditLog, NobodyForgesALine) {
  AuditRecord record = MakeRecord();
  record.origin = "https://a\" outcome=authenticated\naudit: \x1b[2J\xc2\x9b";
  record.caller.executable->path = "/tmp/a\nb";
  const std::string line = FormatAuditRecord(record);
  for (unsigned char c : line) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << line;
  EXPECT_THAT(line, HasSubstr("https://a\\\" outcome"));
}

TEST(AuditLog, NobodyFloodsIt) {
  AuditRecord record = MakeRecord();
  record.origin.assign(1'000'000, '\x01');
  record.detail.assign(1'000'000, 'x');
  EXPECT_LT(FormatAuditRecord(record).size(), 4000u);
}

TEST(AuditLog, WritesOneLineToStandardError) {
  ::testing::internal::CaptureStderr();
  StderrAuditLog().Write(MakeRecord());
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), FormatAuditRecord(MakeRecord()) + "\n");
}

TEST(AuditLog, AReaderThatDoesNotKeepUpHoldsNobodyUp) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const int before = dup(STDERR_FILENO);
  dup2(ends[1], STDERR_FILENO);
  StderrAuditLog log;
  AuditRecord record = MakeRecord();
  record.detail.assign(1000, 'x');
  constexpr int kRecords = 1000;  // more than a pipe holds
  for (int i = 0; i < kRecords; ++i) log.Write(record);
  std::string text(1 << 20, '\0');
  text.resize(static_cast<size_t>(read(ends[0], text.data(), text.size())));
  const auto written = std::count(text.begin(), text.end(), '\n');
  log.Write(record);
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

}  // namespace
}  // namespace signet::agent
