#include "agent/storage/durable_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "absl/strings/match.h"
#include "tests/support/temporary_folder.h"

namespace signet::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> NamesIn(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  return names;
}

TEST(DurableFile, WritesReplacesAndReadsBack) {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "rules";
  ASSERT_TRUE(WriteFileDurably(file, "first").ok());
  ASSERT_TRUE(WriteFileDurably(file, std::string("second\0half", 11)).ok());
  EXPECT_EQ(*ReadFile(file), std::string("second\0half", 11));
  EXPECT_THAT(NamesIn(folder.path()), ElementsAre("rules"));
}

TEST(DurableFile, GivesExactlyTheModeAskedFor) {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "key";
  const mode_t before = umask(0077);
  ASSERT_TRUE(WriteFileDurably(file, "x", 0644).ok());
  umask(before);
  struct stat status {};
  ASSERT_EQ(stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0644u);
  ASSERT_TRUE(WriteFileDurably(file, "x").ok());
  ASSERT_EQ(stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
}

TEST(DurableFile, NamesFileAndReasonWhenTheFolderIsNotThere) {
  const test::TemporaryFolder folder;
  const absl::Status status = WriteFileDurably(folder.path() / "none" / "rules", "x");
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("none/rules"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("No such file or directory"));
}

TEST(DurableFile, KeepsTheOldContentAndNoTemporaryFileWhenWritingFails) {
  const test::TemporaryFolder folder;
  // A folder that is not empty can't be renamed over, whoever runs the test.
  folder.Write("rules/inside", "old");
  const absl::Status status = WriteFileDurably(folder.path() / "rules", "new");
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("rename into place"));
  EXPECT_THAT(NamesIn(folder.path()), ElementsAre("rules"));
  EXPECT_EQ(*ReadFile(folder.path() / "rules/inside"), "old");
}

TEST(DurableFile, KeepsTheOldContentWhenTheDiskIsFull) {
  const test::TemporaryFolder folder;
  const auto file = folder.Write("rules", "old");
  // The file-size limit stands in for a full disk; a child, because the limit is the process's.
  EXPECT_EXIT(
      {
        signal(SIGXFSZ, SIG_IGN);
        rlimit limit;
        limit.rlim_cur = limit.rlim_max = 1000;
        setrlimit(RLIMIT_FSIZE, &limit);
        const absl::Status status = WriteFileDurably(file, std::string(100'000, 'x'));
        _exit(absl::StrContains(status.message(), "File too large") ? 7 : 1);
      },
      ::testing::ExitedWithCode(7), "");
  EXPECT_EQ(*ReadFile(file), "old");
  EXPECT_THAT(NamesIn(folder.path()), ElementsAre("rules"));
}

TEST(DurableFile, RemovesWhatAKilledWriterLeftAndNothingElse) {
  const test::TemporaryFolder folder;
  const std::filesystem::path left = folder.Write(".policy.toml.a1B2c3", "half");
  const std::filesystem::path kept[] = {folder.Write("policy.toml", "whole"),
                                        folder.Write(".lock", ""), folder.Write(".hidden.txt", ""),
                                        folder.Write("notes.a1B2c3", "")};
  std::filesystem::create_directory(folder.path() / ".folder.a1B2c3");
  RemoveTemporaryFiles(folder.path());
  RemoveTemporaryFiles(folder.path() / "no such folder");
  EXPECT_FALSE(std::filesystem::exists(left));
  for (const std::filesystem::path& file : kept) EXPECT_TRUE(std::filesystem::exists(file)) << file;
  EXPECT_TRUE(std::filesystem::exists(folder.path() / ".folder.a1B2c3"));
}

TEST(DurableFile, ReadsUpToTheLimitAndNotBeyond) {
  const test::TemporaryFolder folder;
  const auto file = folder.Write("large", std::string(100, 'x'));
  EXPECT_EQ(ReadFile(file, 100)->size(), 100u);
  EXPECT_TRUE(absl::IsInvalidArgument(ReadFile(file, 99).status()));
}

TEST(DurableFile, ReadsOnlyRegularFiles) {
  const test::TemporaryFolder folder;
  EXPECT_TRUE(absl::IsNotFound(ReadFile(folder.path() / "none").status()));
  EXPECT_FALSE(ReadFile(folder.path()).ok());
  // A pipe without a writer must not block the agent.
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_TRUE(absl::IsInvalidArgument(ReadFile(pipe).status()));
}

TEST(DurableFile, SyncsFoldersOnly) {
  const test::TemporaryFolder folder;
  EXPECT_TRUE(SyncFolder(folder.path()).ok());
  EXPECT_FALSE(SyncFolder(folder.Write("file", "")).ok());
}

}  // namespace
}  // namespace signet::agent
