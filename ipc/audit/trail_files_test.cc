#include "ipc/audit/trail_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/temporary_folder.h"

namespace signet::audit {
namespace {

using ::testing::HasSubstr;

void Write(const std::filesystem::path& file, const std::string& content) {
  std::ofstream(file) << content;
}

TEST(TrailFiles, AreListedByTheirFirstRecordAndNothingElseIs) {
  const test::TemporaryFolder folder;
  for (const char* name : {"audit-000000000100.jsonl", "audit-000000000002.jsonl",
                           "audit-1000000000000.jsonl", "audit-2.jsonl", "audit-.jsonl",
                           "audit-00000000000x.jsonl", "audit-000000000003.jsonl~", "notes"}) {
    Write(folder.path() / name, "");
  }
  const auto files = ListTrail(folder.path());
  ASSERT_TRUE(files.ok()) << files.status();
  std::vector<uint64_t> first;
  for (const TrailFile& file : *files) {
    first.push_back(file.first_seq);
    EXPECT_EQ(file.path, folder.path() / TrailFileName(file.first_seq));
  }
  EXPECT_EQ(first, (std::vector<uint64_t>{2, 100, 1'000'000'000'000}));
}

TEST(TrailFiles, AFolderThatIsNotThereHoldsNone) {
  const test::TemporaryFolder folder;
  const auto files = ListTrail(folder.path() / "audit");
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_TRUE(files->empty());
}

TEST(TrailFiles, NoPipeAndNoLinkIsRead) {
  const test::TemporaryFolder folder;
  ASSERT_EQ(mkfifo((folder.path() / "pipe").c_str(), 0600), 0);
  Write(folder.path() / "file", "content");
  std::filesystem::create_symlink("file", folder.path() / "link");
  EXPECT_EQ(*ReadTrailFile(folder.path() / "file"), "content");
  EXPECT_THAT(ReadTrailFile(folder.path() / "pipe").status().message(), HasSubstr("regular file"));
  EXPECT_FALSE(ReadTrailFile(folder.path() / "link").ok());
  EXPECT_FALSE(ReadTrailFile(folder.path() / "none").ok());
}

TEST(TrailFiles, AFileIsItsLinesAndWhatIsLeftOver) {
  EXPECT_TRUE(LinesOf("").empty());
  const std::vector<Line> lines = LinesOf("one\n\nthree\nfour");
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[1].text, "");
  EXPECT_EQ(lines[2].text, "three");
  EXPECT_EQ(lines[2].number, 3u);
  EXPECT_TRUE(lines[2].ended);
  EXPECT_EQ(lines[3].text, "four");
  EXPECT_FALSE(lines[3].ended);
  EXPECT_TRUE(LinesOf("one\n").back().ended);
}

}  // namespace
}  // namespace signet::audit
