#include "agent/cli/output_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/match.h"
#include "ipc/transport/descriptor.h"
#include "tests/support/kill_at_system_calls.h"
#include "tests/support/temporary_folder.h"

namespace signet::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr char kToken[] = "eyJ.new.token\n";

std::string ContentOf(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

mode_t ModeOf(const fs::path& file) {
  struct stat status {};
  EXPECT_EQ(stat(file.c_str(), &status), 0) << file;
  return status.st_mode & 07777;
}

ptrdiff_t FilesIn(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

class OutputFileTest : public ::testing::Test {
 protected:
  // A file that all may write.
  fs::path WideFile(const std::string& name) {
    const fs::path file = folder_.Write(name, "old");
    fs::permissions(file, fs::perms(0666));
    return file;
  }

  const test::TemporaryFolder folder_;
};

TEST_F(OutputFileTest, ASecretIsForItsOwnerWhateverTheFileWasAndWhoHasItOpen) {
  const fs::path file = WideFile("token");
  const ipc::Descriptor before(open(file.c_str(), O_RDWR | O_CLOEXEC));
  fs::create_hard_link(file, folder_.path() / "other name");
  const mode_t mask = umask(0);
  EXPECT_TRUE(ReplaceFile(file, kToken, FileReaders::kOwner).ok());
  umask(mask);
  EXPECT_EQ(ContentOf(file), kToken);
  EXPECT_EQ(ModeOf(file), 0600u);
  char seen[sizeof(kToken)] = {};
  EXPECT_EQ(read(before.get(), seen, sizeof(seen)), 3);
  EXPECT_STREQ(seen, "old");
  EXPECT_EQ(ContentOf(folder_.path() / "other name"), "old");
}

TEST_F(OutputFileTest, ASecretIsForItsOwnerBehindASymbolicLinkToo) {
  const fs::path file = WideFile("token"), link = folder_.path() / "link";
  fs::create_symlink("token", link);
  EXPECT_TRUE(ReplaceFile(link, kToken, FileReaders::kOwner).ok());
  EXPECT_EQ(fs::read_symlink(link), "token");
  EXPECT_EQ(ContentOf(file), kToken);
  EXPECT_EQ(ModeOf(file), 0600u);
}

TEST_F(OutputFileTest, ALinkToNothingIsReplacedItself) {
  const fs::path link = folder_.path() / "link";
  fs::create_symlink("none", link);
  EXPECT_TRUE(ReplaceFile(link, kToken, FileReaders::kOwner).ok());
  EXPECT_FALSE(fs::is_symlink(link));
  EXPECT_EQ(ModeOf(link), 0600u);
  EXPECT_EQ(FilesIn(folder_.path()), 1);
}

TEST_F(OutputFileTest, AKillLeavesTheOldOrTheNewAndNothingForOthers) {
  const fs::path file = folder_.path() / "token";
  const int kills = test::KillAtEachSystemCall(
      [&] {
        for (const auto& entry : fs::directory_iterator(folder_.path())) fs::remove(entry);
        folder_.Write("token", "old");
        fs::permissions(file, fs::perms(0600));
      },
      [&] {
        umask(0);
        return ReplaceFile(file, kToken, FileReaders::kOwner).ok();
      },
      [&](bool done) {
        if (done) {
          EXPECT_EQ(ContentOf(file), kToken);
          EXPECT_EQ(FilesIn(folder_.path()), 1);
        }
        EXPECT_THAT(ContentOf(file), AnyOf("old", kToken));
        for (const auto& entry : fs::directory_iterator(folder_.path())) {
          EXPECT_EQ(ModeOf(entry), 0600u) << entry;
        }
      });
  EXPECT_GT(kills, 5);
}

TEST_F(OutputFileTest, ACheckLeavesAllAsItIs) {
  const fs::path file = WideFile("token");
  EXPECT_TRUE(CheckReplaceable(file, 1000).ok());
  EXPECT_TRUE(CheckReplaceable(folder_.path() / "new", 1000).ok());
  EXPECT_EQ(ContentOf(file), "old");
  EXPECT_EQ(ModeOf(file), 0666u);
  EXPECT_EQ(FilesIn(folder_.path()), 1);
}

// The file-size limit stands in for a full disk; a child, because the limit is the process's.
TEST_F(OutputFileTest, ACheckFindsThatThereIsNoRoom) {
  const fs::path file = WideFile("token");
  EXPECT_EXIT(
      {
        signal(SIGXFSZ, SIG_IGN);
        rlimit limit;
        limit.rlim_cur = limit.rlim_max = 1000;
        setrlimit(RLIMIT_FSIZE, &limit);
        const bool fits = CheckReplaceable(file, 1000).ok();
        const absl::Status larger = CheckReplaceable(file, 1001);
        _exit(fits && absl::StrContains(larger.message(), "write: File too large") ? 7 : 1);
      },
      ::testing::ExitedWithCode(7), "");
  EXPECT_EQ(ContentOf(file), "old");
  EXPECT_EQ(FilesIn(folder_.path()), 1);
}

TEST_F(OutputFileTest, ACheckRefusesWhatCanNotBeReplaced) {
  for (const fs::path& path : {folder_.path(), folder_.path() / "none" / "token"}) {
    const absl::Status status = CheckReplaceable(path, 1);
    EXPECT_THAT(std::string(status.message()), HasSubstr("file " + path.native()));
    EXPECT_THAT(std::string(status.message()), HasSubstr("; name another file"));
  }
}

}  // namespace
}  // namespace signet::cli
