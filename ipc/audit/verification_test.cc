#include "ipc/audit/verification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "ipc/audit/trail_files.h"
#include "tests/support/temporary_folder.h"

namespace signet::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A trail of two files, records 1 to 5 and 6 to 9.
class VerificationTest : public ::testing::Test {
 protected:
  static constexpr size_t kFirstFile = 5;

  VerificationTest() {
    for (int i = 1; i <= 9; ++i) Append({{"event", "authenticate"}, {"uid", 1000 + i}});
  }

  void Append(const Fields& fields) {
    lines_.push_back(AppendLine(head_, fields));
    heads_.push_back(head_.hash);
  }

  // Line `number` of the trail, from 1.
  std::string& line(size_t number) { return lines_[number - 1]; }
  void Erase(size_t number) { lines_.erase(lines_.begin() + static_cast<ptrdiff_t>(number) - 1); }

  Verification Verify(const std::vector<Hash>& heads = {}) {
    WriteFile(1, {lines_.begin(), lines_.begin() + kFirstFile});
    WriteFile(6, {lines_.begin() + kFirstFile, lines_.end()});
    return VerifyFiles(heads);
  }
  Verification VerifyFiles(const std::vector<Hash>& heads = {}) {
    const auto verification = VerifyTrailSlowly(folder_.path(), heads);
    EXPECT_TRUE(verification.ok()) << verification.status();
    return *verification;
  }

  void WriteFile(uint64_t first_seq, const std::vector<std::string>& lines) {
    std::ofstream file(folder_.path() / TrailFileName(first_seq));
    for (const std::string& text : lines) file << text << '\n';
    if (first_seq != 1) file << unended_;
  }

  // "first:4: ..." and "second:2: ...", after the two files.
  static std::vector<std::string> Found(const std::vector<Finding>& findings) {
    std::vector<std::string> found;
    for (const Finding& finding : findings) {
      const std::string file = finding.file.filename();
      found.push_back((file.empty()               ? ""
                       : file == TrailFileName(1) ? "first:"
                                                  : "second:") +
                      (file.empty() ? "" : std::to_string(finding.line) + ": ") + finding.what);
    }
    return found;
  }

  const test::TemporaryFolder folder_;
  Head head_;
  std::vector<std::string> lines_;
  std::vector<Hash> heads_;
  std::string unended_;
};

TEST_F(VerificationTest, WhatNobodyTouchedIsIntact) {
  const Verification verification = Verify(heads_);
  EXPECT_TRUE(verification.intact()) << verification.problems.front().ToString();
  EXPECT_THAT(verification.notes, IsEmpty());
  EXPECT_EQ(verification.files, 2u);
  EXPECT_EQ(verification.records, 9u);
  EXPECT_EQ(verification.first_seq, 1u);
  EXPECT_EQ(verification.head, head_);
}

TEST_F(VerificationTest, ThereMustBeATrail) {
  const test::TemporaryFolder empty;
  EXPECT_EQ(VerifyTrailSlowly(empty.path()).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(VerificationTest, OneChangedLineIsNamed) {
  const std::vector<std::string> intact = lines_;
  for (size_t number = 1; number < intact.size(); ++number) {
    lines_ = intact;
    std::string& changed = line(number);
    changed.replace(changed.find("\"uid\":1"), 7, "\"uid\":2");
    const std::string place = number <= kFirstFile
                                  ? "first:" + std::to_string(number)
                                  : "second:" + std::to_string(number - kFirstFile);
    EXPECT_THAT(Found(Verify().problems),
                ElementsAre(place + ": was changed after it was written"));
  }
}

TEST_F(VerificationTest, AChangedLinkOrNumberIsNamed) {
  for (const char* key : {"\"prev\":\"", "\"seq\":"}) {
    const std::string before = line(4);
    line(4)[line(4).find(key) + std::string(key).size()] = '7';
    EXPECT_THAT(Found(Verify().problems), ElementsAre(HasSubstr("first:4: was changed")))
        << line(4);
    line(4) = before;
  }
}

TEST_F(VerificationTest, TheLastLineIsVouchedForByItsHead) {
  const Hash head = head_.hash;
  line(9).replace(line(9).find("\"uid\":1"), 7, "\"uid\":2");
  EXPECT_TRUE(Verify().intact()) << "nothing in the files alone can tell";
  EXPECT_THAT(Found(Verify({head}).problems), ElementsAre(HasSubstr(ToHex(head))));
}

TEST_F(VerificationTest, RemovedLinesAreNamedAndCounted) {
  Erase(7);
  EXPECT_THAT(Found(Verify().problems),
              ElementsAre("second:2: record 7 should stand before it and was removed"));
  Erase(7);
  EXPECT_THAT(Found(Verify().problems),
              ElementsAre("second:2: records 7 to 8 should stand before it and were removed"));
}

TEST_F(VerificationTest, ARemovedBeginningIsNamed) {
  Erase(1);
  EXPECT_THAT(Found(Verify().problems),
              ElementsAre("first:1: record 1 should stand before it and was removed"));
}

TEST_F(VerificationTest, ARemovedFileIsNamed) {
  Verify();
  std::filesystem::remove(folder_.path() / TrailFileName(1));
  EXPECT_THAT(Found(VerifyFiles().problems),
              ElementsAre("second:1: records 1 to 5 should stand before it and were removed"));
}

TEST_F(VerificationTest, ARotationMayRemoveWhatItSays) {
  Append({{"event", kEventRotated}, {kOldest, 6}});
  Verify();
  EXPECT_TRUE(VerifyFiles().intact()) << "the file may have outlived the agent";
  std::filesystem::remove(folder_.path() / TrailFileName(1));
  const Verification verification = VerifyFiles();
  EXPECT_TRUE(verification.intact());
  EXPECT_EQ(verification.first_seq, 6u);
  EXPECT_FALSE(VerifyFiles({heads_[0]}).intact());
  EXPECT_THAT(VerifyFiles({heads_[0]}).problems[0].what, HasSubstr("older than record 6"));
  EXPECT_TRUE(VerifyFiles({heads_[5], heads_[9]}).intact());
  // No more than that.
  WriteFile(6, {lines_.begin() + kFirstFile + 1, lines_.end()});
  EXPECT_THAT(Found(VerifyFiles().problems),
              ElementsAre("second:1: record 6 should stand before it and was removed"));
}

TEST_F(VerificationTest, MovedLinesAreNamed) {
  std::swap(line(3), line(4));
  const std::vector<std::string> found = Found(Verify().problems);
  EXPECT_THAT(found, ElementsAre(HasSubstr("first:3: is out of its place: record 4"),
                                 HasSubstr("first:4: is out of its place: record 3"),
                                 HasSubstr("first:5: is out of its place: record 5")));
}

TEST_F(VerificationTest, AnAddedLineIsFound) {
  const std::vector<std::string> intact = lines_;
  // One that links to the line before it, one that is a copy, and one that is no record.
  Head forged{3, heads_[2]};
  lines_.insert(lines_.begin() + 3, AppendLine(forged, {{"event", "authenticate"}}));
  EXPECT_THAT(Found(Verify().problems),
              ElementsAre(HasSubstr("first:5: is out of its place: record 4 comes after record 4; "
                                    "one of the two was added")));
  lines_ = intact;
  lines_.insert(lines_.begin() + 3, lines_[2]);
  EXPECT_THAT(Found(Verify().problems), ElementsAre(HasSubstr("first:4: is out of its place")));
  lines_ = intact;
  lines_.insert(lines_.begin() + 3, "nothing of the agent's");
  EXPECT_THAT(Found(Verify().problems), ElementsAre(HasSubstr("first:4: is no record")));
}

TEST_F(VerificationTest, ACutOffEndIsFoundUpToTheLastHead) {
  const std::vector<Hash> heads = heads_;
  Erase(9);
  Erase(8);
  EXPECT_TRUE(Verify().intact()) << "nothing in the files alone can tell";
  EXPECT_TRUE(Verify({heads[6]}).intact());
  EXPECT_THAT(Found(Verify({heads[6], heads[7], heads[8]}).problems),
              ElementsAre(HasSubstr(ToHex(heads[7])), HasSubstr(ToHex(heads[8]))));
}

TEST_F(VerificationTest, AChainThatWasWrittenAnewIsFoundByAHead) {
  const Hash head = heads_[4];
  head_ = {1, heads_[0]};
  lines_.resize(1);
  for (int i = 2; i <= 9; ++i) Append({{"event", "authenticate"}, {"uid", 0}});
  EXPECT_TRUE(Verify().intact());
  EXPECT_THAT(Found(Verify({head}).problems), ElementsAre(HasSubstr("written anew")));
}

TEST_F(VerificationTest, AHalfWrittenEndIsANote) {
  unended_ = line(9).substr(0, 30);
  Erase(9);
  const Verification verification = Verify();
  EXPECT_TRUE(verification.intact());
  EXPECT_THAT(Found(verification.notes), ElementsAre(HasSubstr("second:4: half-written")));
  EXPECT_EQ(verification.head.seq, 8u);
}

TEST_F(VerificationTest, AHalfWrittenLineThatTheAgentFoundIsANote) {
  const std::string fragment = line(9).substr(0, 30);
  Append({{"event", kEventRecovered}, {kFragment, ToHex(HashOf(fragment))}});
  lines_.insert(lines_.end() - 1, fragment);
  const Verification verification = Verify();
  EXPECT_TRUE(verification.intact()) << verification.problems.front().ToString();
  EXPECT_THAT(Found(verification.notes), ElementsAre(HasSubstr("second:5: half-written")));
  // It excuses no other bytes.
  lines_[lines_.size() - 2] += "more";
  EXPECT_THAT(Found(Verify().problems), ElementsAre(HasSubstr("second:5: is no record")));
}

}  // namespace
}  // namespace signet::audit
