#include "agent/audit/audit_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <fstream>
#include <string>
#include <vector>

#include "ipc/audit/verification.h"
#include "tests/support/kill_at_system_calls.h"
#include "tests/support/temporary_folder.h"

namespace signet::agent {
namespace {

using audit::Fields;
using audit::Verification;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Fields MakeFields(int number) { return {{"event", "authenticate"}, {"number", number}}; }

class AuditFileTest : public ::testing::Test {
 protected:
  std::filesystem::path folder() const { return state_.path() / "audit"; }

  // Each time as another run of the agent.
  void Append(int number, AuditFileLimits limits = {}) {
    AuditFile file(folder(), limits);
    AppendTo(file, number);
  }
  static void AppendTo(AuditFile& file, int number) {
    const auto head = file.AppendSlowly({MakeFields(number)});
    ASSERT_TRUE(head.ok()) << head.status();
  }

  Verification Verify() const {
    const auto verification = audit::VerifyTrailSlowly(folder());
    EXPECT_TRUE(verification.ok()) << verification.status();
    return *verification;
  }

  // The numbers of the records and the names of the trail's own events, in order.
  std::vector<std::string> Trail() const {
    std::vector<std::string> trail;
    const std::vector<audit::TrailFile> files = *audit::ListTrail(folder());
    for (const audit::TrailFile& file : files) {
      const std::string content = *audit::ReadTrailFile(file.path);
      for (const audit::Line& line : audit::LinesOf(content)) {
        const auto record = audit::ParseLine(line.text);
        trail.push_back(!record                             ? "half"
                        : record->fields.contains("number") ? record->fields["number"].dump()
                                                            : record->Text("event"));
      }
    }
    return trail;
  }

  std::filesystem::path LastFile() const { return audit::ListTrail(folder())->back().path; }
  void CutLastFile(uint64_t bytes) const {
    std::filesystem::resize_file(LastFile(), std::filesystem::file_size(LastFile()) - bytes);
  }

  const test::TemporaryFolder state_;
};

TEST_F(AuditFileTest, TheChainGoesOnInTheNextRun) {
  Append(1);
  Append(2);
  AuditFile file(folder());
  const auto head = file.AppendSlowly({MakeFields(3), MakeFields(4)});
  ASSERT_TRUE(head.ok()) << head.status();
  EXPECT_EQ(head->seq, 4u);
  EXPECT_THAT(Trail(), ElementsAre("1", "2", "3", "4"));
  EXPECT_TRUE(Verify().intact());
  EXPECT_EQ(Verify().head, *head);
  EXPECT_THAT(Verify().notes, IsEmpty());
}

TEST_F(AuditFileTest, NobodyElseReadsIt) {
  Append(1);
  struct stat status {};
  ASSERT_EQ(stat(folder().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
  ASSERT_EQ(stat(LastFile().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0077, 0u);
}

TEST_F(AuditFileTest, AHalfWrittenLineStaysAndARecordSaysSo) {
  Append(1);
  Append(2);
  const auto line = std::filesystem::file_size(LastFile()) / 2;
  for (const uint64_t cut : {uint64_t{2}, line - 1}) {
    CutLastFile(cut);
    Append(3);
    const Verification verification = Verify();
    EXPECT_TRUE(verification.intact()) << verification.problems.front().ToString();
  }
  EXPECT_EQ(Verify().notes.size(), 2u);
  EXPECT_THAT(Trail(), ElementsAre("1", "half", "recovered", "half", "recovered", "3"));
}

TEST_F(AuditFileTest, ALineThatOnlyLacksItsEndIsARecord) {
  Append(1);
  CutLastFile(1);
  EXPECT_TRUE(Verify().intact());
  Append(2);
  EXPECT_TRUE(Verify().intact());
  EXPECT_THAT(Verify().notes, IsEmpty());
  EXPECT_THAT(Trail(), ElementsAre("1", "2"));
}

TEST_F(AuditFileTest, FilesFollowOneAnotherAndTheOldestGo) {
  const AuditFileLimits limits{.size = 300, .files = 3};
  AuditFile file(folder(), limits);
  int number = 0;
  for (; number < 40; ++number) AppendTo(file, number);
  EXPECT_EQ(audit::ListTrail(folder())->size(), 3u);
  EXPECT_TRUE(Verify().intact()) << Verify().problems.front().ToString();
  EXPECT_GT(Verify().first_seq, 20u);
  // The next run goes on in the same way.
  for (; number < 50; ++number) Append(number, limits);
  EXPECT_EQ(audit::ListTrail(folder())->size(), 3u);
  EXPECT_TRUE(Verify().intact()) << Verify().problems.front().ToString();
  EXPECT_EQ(Trail().back(), "49");
  // What no rotation removed is missed.
  std::filesystem::remove(audit::ListTrail(folder())->front().path);
  EXPECT_FALSE(Verify().intact());
}

TEST_F(AuditFileTest, AFileThatIsRemovedBehindItsBackIsMissed) {
  AuditFile file(folder());
  AppendTo(file, 1);
  AppendTo(file, 2);
  std::filesystem::remove_all(folder());
  AppendTo(file, 3);
  AppendTo(file, 4);
  EXPECT_THAT(Trail(), ElementsAre("file-removed", "3", "4"));
  ASSERT_EQ(Verify().problems.size(), 1u);
  EXPECT_THAT(Verify().problems[0].what, HasSubstr("records 1 to 2"));
}

TEST_F(AuditFileTest, WritesNoFurtherThanWhatItFinds) {
  AuditFile file(folder());
  AppendTo(file, 1);
  const std::filesystem::path path = LastFile();
  std::filesystem::remove(path);
  std::filesystem::create_symlink(state_.path() / "elsewhere", path);
  AuditFile other(folder());
  EXPECT_FALSE(other.AppendSlowly({MakeFields(2)}).ok()) << "no link is followed";
  EXPECT_FALSE(std::filesystem::exists(state_.path() / "elsewhere"));
}

// As a full disk: the file can grow no further than this.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(AuditFileTest, AWriteThatFailsLeavesNothingBehindAndIsTriedAgain) {
  AuditFile file(folder());
  AppendTo(file, 1);
  const uint64_t size = std::filesystem::file_size(LastFile());
  {
    const FileSizeLimit full(size + 10);
    const auto failed = file.AppendSlowly({MakeFields(2)});
    EXPECT_THAT(failed.status().message(), HasSubstr(LastFile().native() + ": write: "));
    EXPECT_EQ(std::filesystem::file_size(LastFile()), size);
    EXPECT_FALSE(file.AppendSlowly({MakeFields(2)}).ok());
  }
  AppendTo(file, 2);
  EXPECT_THAT(Trail(), ElementsAre("1", "2"));
  EXPECT_TRUE(Verify().intact());
  EXPECT_THAT(Verify().notes, IsEmpty());
}

TEST_F(AuditFileTest, AKillAtAnyMomentLosesNothingThatWasOnDisk) {
  int cut = 0;
  const auto fill = [this] {
    std::filesystem::remove_all(folder());
    Append(1);
  };
  const auto append = [this] {
    // Two files' worth, so that the change from one to the next is in it.
    AuditFile file(folder(), {.size = 100, .files = 2});
    return file.AppendSlowly({MakeFields(2), MakeFields(3)}).ok() &&
           file.AppendSlowly({MakeFields(4)}).ok();
  };
  test::KillAtEachSystemCall(fill, append, [&](bool done) {
    ASSERT_TRUE(Verify().intact()) << Verify().problems.front().ToString();
    if (!done) ++cut;
    Append(9, {.size = 100, .files = 2});
    EXPECT_EQ(Trail().back(), "9");
    EXPECT_TRUE(Verify().intact()) << Verify().problems.front().ToString();
  });
  EXPECT_GT(cut, 10);
}

}  // namespace
}  // namespace signet::agent
