#include "agent/audit/audit_trail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/use_future.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <optional>
#include <string>

#include "ipc/audit/verification.h"
#include "tests/support/temporary_folder.h"

namespace signet::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::chrono::seconds kPatience{60};

class FakeOutput final : public AuditOutput {
 public:
  void Write(const AuditRecord& record) override { records.push_back(record); }
  void WriteHead(const audit::Head& head) override { heads.push_back(head); }
  void Warn(const std::string& message) override { warnings.push_back(message); }

  std::vector<AuditRecord> records;
  std::vector<audit::Head> heads;
  std::vector<std::string> warnings;
};

// Nothing is retried and no head is noted by the clock, unless a test says so.
constexpr AuditTrailOptions kNoClock{.head_interval = std::chrono::hours(1),
                                     .retry_interval = std::chrono::hours(1)};

// Heads tell how often the disk was written; nothing ends a pause but Stop.
constexpr AuditTrailOptions kHeadPerWrite{.records_per_head = 1,
                                          .head_interval = std::chrono::hours(1),
                                          .retry_interval = std::chrono::hours(1),
                                          .pause = std::chrono::hours(1)};

class AuditTrailTest : public ::testing::Test {
 protected:
  void Make(const AuditTrailOptions& options = kNoClock) {
    trail_.emplace(loop_.get_executor(), file_worker_, folder(), output_, options);
  }

  void Write(const std::string& identity) {
    AuditRecord record;
    record.event = "authenticate";
    record.identity = identity;
    trail_->Write(record);
  }

  // Turns the loop until the condition holds.
  template <typename Condition>
  void Until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end);
      loop_.restart();
      loop_.run_one_for(std::chrono::seconds(1));
    }
  }
  // What was written has reached the disk, where it need not wait for anything else.
  void FinishWriting() {
    loop_.restart();
    loop_.poll();
    asio::post(file_worker_, asio::use_future).get();
    loop_.poll();
  }
  void Stop() {
    bool stopped = false;
    asio::co_spawn(loop_, trail_->Stop(), [&](std::exception_ptr) { stopped = true; });
    Until([&] { return stopped; });
  }

  audit::Verification Verify() const {
    std::vector<audit::Hash> heads;
    for (const audit::Head& head : output_.heads) heads.push_back(head.hash);
    const auto verification = audit::VerifyTrailSlowly(folder(), heads);
    EXPECT_TRUE(verification.ok()) << verification.status();
    return verification.value_or(audit::Verification());
  }
  std::string Content() const {
    std::string content;
    const std::vector<audit::TrailFile> files = *audit::ListTrail(folder());
    for (const audit::TrailFile& file : files) {
      content += *audit::ReadTrailFile(file.path);
    }
    return content;
  }

  std::filesystem::path folder() const { return state_.path() / "audit"; }
  // What the disk says when it takes nothing: here, that the folder is a file.
  void BreakDisk() { std::ofstream(folder()) << "in the way"; }
  void MendDisk() { std::filesystem::remove(folder()); }

  const test::TemporaryFolder state_;
  asio::io_context loop_{1};
  asio::thread_pool file_worker_{1};
  FakeOutput output_;
  std::optional<AuditTrail> trail_;
};

TEST_F(AuditTrailTest, RecordsReachTheOutputAtOnceAndTheDiskByTheEnd) {
  Make();
  Write("one");
  Write("two");
  EXPECT_EQ(output_.records.size(), 2u);
  EXPECT_FALSE(std::filesystem::exists(folder())) << "nothing waits for the disk";
  Stop();
  EXPECT_EQ(Verify().records, 2u);
  EXPECT_THAT(output_.heads, ElementsAre(Verify().head));
  EXPECT_THAT(output_.warnings, IsEmpty());
}

TEST_F(AuditTrailTest, RecordsThatComeTogetherShareAWriteAndNoneIsLost) {
  Make(kHeadPerWrite);
  Write("the first");
  Until([&] { return output_.heads.size() == 1; });
  for (int i = 0; i < 10; ++i) {
    Write("alice");
    FinishWriting();
  }
  EXPECT_EQ(output_.heads.size(), 1u) << "within the pause";
  Stop();
  EXPECT_EQ(output_.heads.size(), 2u) << "Stop ends the pause";
  EXPECT_EQ(Verify().records, 11u);
  EXPECT_TRUE(Verify().intact());
}

TEST_F(AuditTrailTest, WhereItIsRequiredThereIsNoPause) {
  AuditTrailOptions options = kHeadPerWrite;
  options.required = true;
  Make(options);
  for (size_t i = 1; i <= 3; ++i) {
    Write("alice");
    Until([&] { return output_.heads.size() == i; });
  }
  Stop();
}

TEST_F(AuditTrailTest, AWriterThatDoesNotKeepUpHoldsNobodyUp) {
  Make();
  std::promise<void> release;
  asio::post(file_worker_, [held = release.get_future().share()] { held.wait(); });
  for (int i = 0; i < 100; ++i) Write("alice");
  loop_.poll();
  EXPECT_EQ(output_.records.size(), 100u);
  EXPECT_TRUE(trail_->CheckRecording().ok());
  release.set_value();
  Stop();
  EXPECT_EQ(Verify().records, 100u);
  EXPECT_TRUE(Verify().intact());
}

TEST_F(AuditTrailTest, HeadsAreNotedAfterSoManyRecords) {
  AuditTrailOptions options = kNoClock;
  options.records_per_head = 3;
  Make(options);
  for (int i = 1; i <= 7; ++i) {
    Write("alice");
    Until([&] {
      return i == static_cast<int>(audit::ListTrail(folder())->empty() ? 0 : Verify().records);
    });
  }
  Stop();
  ASSERT_GE(output_.heads.size(), 3u);
  EXPECT_EQ(output_.heads.back().seq, 7u);
  EXPECT_TRUE(Verify().intact());
}

TEST_F(AuditTrailTest, HeadsAreNotedAfterAWhile) {
  AuditTrailOptions options = kNoClock;
  options.head_interval = std::chrono::seconds(0);
  Make(options);
  Write("alice");
  Until([&] { return !output_.heads.empty(); });
  EXPECT_EQ(output_.heads.front(), Verify().head);
  Write("bob");
  Until([&] { return output_.heads.size() == 2; });
  Stop();
  EXPECT_EQ(output_.heads.size(), 2u) << "none twice";
}

TEST_F(AuditTrailTest, OneHeadIsNotedAtTheEndThoughAWriteIsUnderWay) {
  Make();
  std::promise<void> release;
  asio::post(file_worker_, [held = release.get_future().share()] { held.wait(); });
  Write("one");
  loop_.poll();  // now under way
  Write("two");
  bool stopped = false;
  asio::co_spawn(loop_, trail_->Stop(), [&](std::exception_ptr) { stopped = true; });
  loop_.restart();
  loop_.poll();
  EXPECT_FALSE(stopped);
  release.set_value();
  Until([&] { return stopped; });
  EXPECT_THAT(output_.heads, ElementsAre(Verify().head));
  EXPECT_EQ(Verify().records, 2u);
}

TEST_F(AuditTrailTest, GoesOnWithoutADiskAndSaysSo) {
  BreakDisk();
  Make();
  Write("one");
  Until([&] { return !output_.warnings.empty(); });
  EXPECT_THAT(output_.warnings, ElementsAre(HasSubstr("can't be written: " + folder().native())));
  EXPECT_TRUE(trail_->CheckRecording().ok());
  Write("two");
  EXPECT_EQ(output_.records.size(), 2u);
  MendDisk();
  Stop();
  EXPECT_EQ(output_.warnings.back(), "the trail is written again");
  EXPECT_EQ(Verify().records, 2u);
}

TEST_F(AuditTrailTest, TriesADiskThatFailedAgain) {
  BreakDisk();
  AuditTrailOptions options = kNoClock;
  options.retry_interval = std::chrono::seconds(0);
  Make(options);
  Write("one");
  Until([&] { return !output_.warnings.empty(); });
  MendDisk();
  Until([&] { return output_.warnings.size() == 2; });
  EXPECT_EQ(Verify().records, 1u);
  Stop();
}

TEST_F(AuditTrailTest, CountsWhatItCouldNotKeep) {
  BreakDisk();
  AuditTrailOptions options = kNoClock;
  options.max_pending = 2;
  Make(options);
  Write("one");
  Until([&] { return !output_.warnings.empty(); });
  for (const char* name : {"two", "three", "four"}) Write(name);
  MendDisk();
  Stop();
  const std::string content = Content();
  EXPECT_EQ(Verify().records, 3u);
  EXPECT_TRUE(Verify().intact());
  EXPECT_THAT(content, HasSubstr("\"identity\":\"two\""));
  EXPECT_THAT(content, HasSubstr("\"event\":\"lost\",\"records\":2}"));
}

TEST_F(AuditTrailTest, SaysAtTheEndWhatIsNotOnDisk) {
  BreakDisk();
  Make();
  Write("one");
  Write("two");
  Stop();
  EXPECT_THAT(output_.warnings.back(), HasSubstr("2 records are not in the trail: "));
  EXPECT_THAT(output_.heads, IsEmpty());
}

TEST_F(AuditTrailTest, WhereItIsRequiredNothingMayBeProvedWithoutADisk) {
  BreakDisk();
  AuditTrailOptions options = kNoClock;
  options.required = true;
  Make(options);
  EXPECT_TRUE(trail_->CheckRecording().ok());
  Write("one");
  Until([&] { return !trail_->CheckRecording().ok(); });
  EXPECT_THAT(trail_->CheckRecording().message(), HasSubstr(folder().native()));
  EXPECT_THAT(trail_->CheckRecording().message(), HasSubstr("[audit] required"));
  trail_->SetRequired(false);
  EXPECT_TRUE(trail_->CheckRecording().ok());
  trail_->SetRequired(true);
  MendDisk();
  Stop();
  EXPECT_TRUE(trail_->CheckRecording().ok());
}

TEST_F(AuditTrailTest, WhereItIsRequiredADiskMustKeepUp) {
  AuditTrailOptions options = kNoClock;
  options.required = true;
  options.max_pending = 2;
  Make(options);
  std::promise<void> release;
  asio::post(file_worker_, [held = release.get_future().share()] { held.wait(); });
  Write("one");
  loop_.poll();  // now under way
  Write("two");
  EXPECT_TRUE(trail_->CheckRecording().ok());
  Write("three");
  EXPECT_THAT(trail_->CheckRecording().message(), HasSubstr("does not keep up"));
  release.set_value();
  Stop();
  EXPECT_TRUE(trail_->CheckRecording().ok());
}

}  // namespace
}  // namespace signet::agent
