#include <gmock/gmock.h>

#include <filesystem>

#include "agent/cli/cli_fixture.h"
#include "ipc/audit/chain.h"
#include "ipc/audit/trail_files.h"

namespace signet::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// The trail of a state folder with four records.
class AuditCommandsTest : public CliTest {
 protected:
  AuditCommandsTest() {
    std::filesystem::create_directory(state_dir() + "/audit");
    Append({{"time", "2026-01-01T10:00:00.000000Z"}, {"event", "start"}, {"outcome", "done"}});
    Append({{"time", "2026-01-02T10:00:00.000000Z"},
            {"event", "authenticate"},
            {"outcome", "authenticated"},
            {"identity", "laptop"},
            {"origin", "https://a.example"},
            {"uid", 1000},
            {"pid", 42},
            {"program", "/usr/bin/curl"},
            {"rule", "/etc/signet/signet.toml:12"}});
    Append({{"time", "2026-01-03T10:00:00.000000Z"},
            {"event", "authenticate"},
            {"outcome", "denied"},
            {"identity", "alice"},
            {"origin", "https://b.example"},
            {"uid", 1001},
            {"pid", 43}});
    Append({{"time", "2026-01-04T10:00:00.000000Z"},
            {"event", "unlock"},
            {"outcome", "wrong-pin"},
            {"uid", 1001},
            {"pid", 43}});
    Write();
  }

  void Append(const audit::Fields& fields) { lines_.push_back(AppendLine(head_, fields)); }
  void Write() {
    std::string content;
    for (const std::string& line : lines_) content += line + "\n";
    WriteFile("state/audit/" + audit::TrailFileName(1), content);
  }
  std::string state_dir() const {
    std::filesystem::create_directory(agent_.folder() + "/state");
    return agent_.folder() + "/state";
  }

  Outcome RunAudit(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"audit"});
    arguments.insert(arguments.end(), {"--state-dir", state_dir()});
    return RunCommand(std::move(arguments));
  }
  std::vector<int> Listed(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"list", "--json"});
    std::vector<int> listed;
    const nlohmann::json json = RunAudit(std::move(arguments)).json();
    for (const auto& record : json["records"]) listed.push_back(record["seq"]);
    return listed;
  }

  audit::Head head_;
  std::vector<std::string> lines_;
};

TEST_F(AuditCommandsTest, ListsWhoGotWhatAndWhichRuleDecided) {
  const Outcome outcome = RunAudit({"list"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("2026-01-02T10:00:00"), HasSubstr("uid 1000"),
                    HasSubstr("/usr/bin/curl (42)"), HasSubstr("/etc/signet/signet.toml:12"),
                    HasSubstr("unknown (43)"), HasSubstr("wrong-pin")));
  const auto json = RunAudit({"list", "--json"}).json();
  EXPECT_EQ(json["records"].size(), 4u);
  EXPECT_EQ(json["records"][1]["origin"], "https://a.example");
}

TEST_F(AuditCommandsTest, ListsOnlyWhatWasAskedFor) {
  EXPECT_THAT(Listed({}), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Listed({"--identity", "laptop"}), ElementsAre(2));
  EXPECT_THAT(Listed({"--origin", "b.example"}), ElementsAre(3));
  EXPECT_THAT(Listed({"--outcome", "wrong-pin"}), ElementsAre(4));
  EXPECT_THAT(Listed({"--since", "2026-01-03"}), ElementsAre(3, 4));
  EXPECT_THAT(Listed({"--since", "2026-01-03T10:00:01"}), ElementsAre(4));
  EXPECT_THAT(Listed({"--since", "0m"}), ElementsAre());
  EXPECT_THAT(Listed({"--since", "2026-01-01", "--outcome", "denied"}), ElementsAre(3));
  EXPECT_THAT(RunAudit({"list", "--outcome", "nothing"}).out, HasSubstr("no records of that kind"));
  const Outcome wrong = RunAudit({"list", "--since", "yesterday"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("2026-01-31"));
}

TEST_F(AuditCommandsTest, VerifiesAnIntactTrail) {
  const Outcome outcome = RunAudit({"verify", "--head", audit::ToHex(head_.hash)});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("intact: 4 records, 1 to 4, in 1 file"),
                                 HasSubstr("head: " + audit::ToHex(head_.hash))));
  const auto json = RunAudit({"verify", "--json"}).json();
  EXPECT_EQ(json["intact"], true);
  EXPECT_EQ(json["records"], 4);
  EXPECT_EQ(json["head"], audit::ToHex(head_.hash));
}

TEST_F(AuditCommandsTest, NamesTheLineOfABrokenTrail) {
  lines_[1].replace(lines_[1].find("1000"), 4, "1001");
  Write();
  const Outcome outcome = RunAudit({"verify"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.out, HasSubstr(audit::TrailFileName(1) + ":2: was changed"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("intact")));
  EXPECT_THAT(outcome.err, HasSubstr("is not what the agent wrote"));
  const Outcome json = RunAudit({"verify", "--json"});
  EXPECT_EQ(json.exit_code, 1);
  EXPECT_EQ(json.json()["intact"], false);
  EXPECT_EQ(json.json()["problems"][0]["line"], 2);
  EXPECT_EQ(json.json()["error"]["code"], "failed");
}

TEST_F(AuditCommandsTest, MissesACutOffEndByItsHead) {
  const std::string head = audit::ToHex(head_.hash);
  lines_.pop_back();
  Write();
  EXPECT_EQ(RunAudit({"verify"}).exit_code, 0);
  const Outcome outcome = RunAudit({"verify", "--head", head});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("no record has the head " + head));
  EXPECT_EQ(RunAudit({"verify", "--head", "1234"}).exit_code, 2);
}

TEST_F(AuditCommandsTest, GoesWhereTheRunningAgentKeepsItsState) {
  agent_.admin.status.set_state_dir(state_dir());
  EXPECT_EQ(RunCommand({"audit", "verify"}).exit_code, 0);
}

TEST_F(AuditCommandsTest, SaysWhereItLookedForRecords) {
  const Outcome outcome =
      RunCommand({"audit", "verify", "--state-dir", agent_.folder() + "/nothing"});
  EXPECT_EQ(outcome.exit_code, 5);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("/nothing/audit holds no records"), HasSubstr("--state-dir")));
  EXPECT_EQ(RunCommand({"audit", "list", "--state-dir", agent_.folder() + "/nothing"}).exit_code,
            5);
}

}  // namespace
}  // namespace signet::cli
