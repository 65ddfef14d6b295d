#include "tests/support/swtpm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <stdexcept>

namespace signet::test {
namespace {

// TPM2_ReadClock answers {clock info: time, clock, reset count, restart count, safe}.
constexpr uint8_t kReadClock[] = {0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x01, 0x81};

uint32_t ResetCount(Swtpm& tpm) {
  std::vector<uint8_t> response = tpm.Execute(kReadClock);
  EXPECT_EQ(response.size(), 10u + 8 + 17);
  if (response.size() != 35u) return 0;
  return static_cast<uint32_t>(response[26] << 24 | response[27] << 16 | response[28] << 8 |
                               response[29]);
}

TEST(Swtpm, AnswersCommands) {
  Swtpm tpm;
  EXPECT_EQ(ResetCount(tpm), 1u);
}

TEST(Swtpm, LeavesNothingBehind) {
  std::string folder;
  pid_t pid = 0;
  {
    Swtpm tpm;
    folder = tpm.folder();
    pid = tpm.pid();
    EXPECT_TRUE(std::filesystem::exists(folder));
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST(Swtpm, KeepsItsStateWhenStoppedAndStarted) {
  Swtpm tpm;
  tpm.Stop();
  EXPECT_EQ(tpm.pid(), 0);
  EXPECT_THROW(tpm.Execute(kReadClock), std::runtime_error);
  tpm.Start();
  EXPECT_EQ(ResetCount(tpm), 2u);
}

TEST(Swtpm, ComesBackAfterManyKills) {
  Swtpm tpm;
  for (int i = 0; i < 5; ++i) {
    tpm.Kill();
    tpm.Start();
  }
  EXPECT_EQ(ResetCount(tpm), 6u);
}

TEST(Swtpm, PowerCycleResetsInPlace) {
  Swtpm tpm;
  pid_t pid = tpm.pid();
  tpm.PowerCycle();
  EXPECT_EQ(tpm.pid(), pid);
  EXPECT_EQ(ResetCount(tpm), 2u);
}

TEST(Swtpm, AnswersAgainAfterAPause) {
  Swtpm tpm;
  tpm.Pause();
  tpm.Resume();
  EXPECT_EQ(ResetCount(tpm), 1u);
}

TEST(Swtpm, SeveralRunSideBySide) {
  Swtpm first;
  Swtpm second;
  EXPECT_NE(first.tcti(), second.tcti());
  first.PowerCycle();
  EXPECT_EQ(ResetCount(first), 2u);
  EXPECT_EQ(ResetCount(second), 1u);
}

}  // namespace
}  // namespace signet::test
