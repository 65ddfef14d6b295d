#include "agent/audit/audit_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "ipc/audit/chain.h"

namespace signet::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

AuditRecord MakeRecord() {
  AuditRecord record;
  record.time =
      std::chrono::system_clock::time_point(std::chrono::microseconds(1'767'225'600'000'001));
  record.event = "authenticate";
  record.caller.emplace();
  record.caller->pid = 42;
  record.caller->uid = 1000;
  record.caller->gid = 100;
  record.caller->start_time = 777;
  record.caller->executable = Executable{1, 2, "/usr/bin/curl"};
  record.origin = "https://a.example";
  record.identity = "laptop";
  record.rule = "/etc/signet/signet.toml:12";
  record.outcome = "denied";
  record.detail = "no rule";
  record.duration = std::chrono::microseconds(1234);
  return record;
}

TEST(AuditRecord, SaysWhoGotWhatWhereAndHowLongItTook) {
  EXPECT_EQ(FormatAuditRecord(MakeRecord()),
            "audit: event=authenticate outcome=denied identity=\"laptop\" "
            "claimed_origin=\"https://a.example\" uid=1000 gid=100 pid=42 "
            "program=\"/usr/bin/curl\" rule=\"/etc/signet/signet.toml:12\" duration_us=1234 "
            "detail=\"no rule\"");
  EXPECT_EQ(ToFields(MakeRecord()).dump(),
            R"({"time":"2026-01-01T00:00:00.000001Z","event":"authenticate","outcome":"denied",)"
            R"("identity":"laptop","origin":"https://a.example","uid":1000,"gid":100,"pid":42,)"
            R"("start_time":777,"program":"/usr/bin/curl","rule":"/etc/signet/signet.toml:12",)"
            R"("detail":"no rule","duration_us":1234})");
}

TEST(AuditRecord, AnUnknownProgramIsCalledThat) {
  AuditRecord record = MakeRecord();
  record.caller->executable.reset();
  EXPECT_THAT(FormatAuditRecord(record), HasSubstr("program=unknown "));
  EXPECT_FALSE(ToFields(record).contains("program"));
}

TEST(AuditRecord, SaysWhereTheCallerBelongs) {
  AuditRecord record = MakeRecord();
  record.caller->unit = "backup.service";
  record.caller->user_unit = "app.scope";
  record.caller->login_session.id = "c2";
  record.caller->sandbox = "flatpak:org.x.Y";
  EXPECT_THAT(FormatAuditRecord(record),
              HasSubstr(" unit=\"backup.service\" user_unit=\"app.scope\" login_session=\"c2\" "
                        "sandbox=\"flatpak:org.x.Y\" "));
  record.caller->parents = {{7, "bash"}, {6, "sshd"}};
  const std::string parents = "[\"bash (7)\",\"sshd (6)\"]";
  EXPECT_EQ(ToFields(record)["parents"].dump(), parents);
  EXPECT_EQ(ToFields(record)["unit"], "backup.service");
  EXPECT_EQ(ToFields(record)["user_unit"], "app.scope");
  EXPECT_EQ(ToFields(record)["login_session"], "c2");
  EXPECT_EQ(ToFields(record)["sandbox"], "flatpak:org.x.Y");
}

TEST(AuditRecord, TheAgentsOwnHaveNoCaller) {
  AuditRecord record;
  record.event = "reload";
  record.outcome = "done";
  EXPECT_EQ(FormatAuditRecord(record), "audit: event=reload outcome=done duration_us=0");
  EXPECT_FALSE(ToFields(record).contains("uid"));
}

TEST(AuditRecord, NobodyForgesALine) {
  AuditRecord record = MakeRecord();
  record.origin = "https://a\" outcome=authenticated\naudit: \x1b[2J\xc2\x9b";
  record.caller->executable->path = "/tmp/a\nb";
  audit::Head head;
  for (const std::string& line :
       {FormatAuditRecord(record), audit::AppendLine(head, ToFields(record))}) {
    for (unsigned char c : line) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << line;
    EXPECT_THAT(line, HasSubstr("https://a\\\" outcome"));
  }
}

TEST(AuditRecord, NobodyFloodsIt) {
  AuditRecord record = MakeRecord();
  for (std::string* text : {&record.origin, &record.identity, &record.rule, &record.detail,
                            &record.backend, &record.caller->executable->path}) {
    text->assign(1'000'000, '\x01');
  }
  EXPECT_LT(FormatAuditRecord(record).size(), 4096u);
  EXPECT_THAT(FormatAuditRecord(record), Not(HasSubstr("\n")));
  EXPECT_LT(ToFields(record).dump().size(), 20'000u);
}

}  // namespace
}  // namespace signet::agent
