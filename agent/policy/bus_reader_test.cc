#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "agent/policy/configuration.h"
#include "tests/support/temporary_folder.h"

namespace signet::agent {
namespace {

using testing::HasSubstr;

absl::StatusOr<BusConfiguration> Read(const std::string& text) {
  const test::TemporaryFolder folder;
  const auto configuration = LoadConfiguration(folder.Write("signet.toml", text));
  if (!configuration.ok()) return configuration.status();
  return configuration->bus;
}

TEST(BusConfiguration, LocksAPersonsTokensForEverything) {
  const auto bus = Read("[bus]\nkind = \"session\"\n");
  ASSERT_TRUE(bus.ok()) << bus.status();
  EXPECT_TRUE(bus->enabled);
  EXPECT_EQ(bus->agent(), AgentKind::kUser);
  EXPECT_EQ(bus->causes(), (LockCauses{true, true, true}));
}

TEST(BusConfiguration, LocksTheSystemsTokensForNothing) {
  const auto bus = Read("[bus]\nkind = \"system\"\n");
  ASSERT_TRUE(bus.ok()) << bus.status();
  EXPECT_EQ(bus->agent(), AgentKind::kSystem);
  EXPECT_FALSE(bus->causes().any());
}

TEST(BusConfiguration, LocksForWhatIsListedAlone) {
  EXPECT_EQ(Read("[bus]\nkind = \"session\"\n[lock]\non = [\"screen\", \"logout\"]\n")->causes(),
            (LockCauses{true, false, true}));
  EXPECT_EQ(Read("[bus]\nkind = \"session\"\n[lock]\non = []\n")->causes(), LockCauses{});
  EXPECT_EQ(Read("[bus]\nkind = \"system\"\n[lock]\non = [\"sleep\"]\n")->causes(),
            (LockCauses{false, true, false}));
}

TEST(BusConfiguration, OfTheSystemHasNoSessions) {
  const auto bus = Read("[bus]\nkind = \"system\"\n[lock]\non = [\"sleep\", \"logout\"]\n");
  EXPECT_THAT(bus.status().message(), HasSubstr("\"sleep\" alone"));
}

TEST(BusConfiguration, PromisesNoLockWithoutABus) {
  const auto bus = Read("[bus]\nenabled = false\nkind = \"session\"\n[lock]\non = [\"screen\"]\n");
  EXPECT_THAT(bus.status().message(), HasSubstr("enabled = false"));
  EXPECT_TRUE(Read("[bus]\nenabled = false\n").ok());
}

}  // namespace
}  // namespace signet::agent
