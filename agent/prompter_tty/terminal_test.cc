#include "agent/prompter_tty/terminal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace signet::prompter_tty {
namespace {

using ::testing::HasSubstr;

constexpr uid_t kOwner = 1000;

struct stat Device(mode_t mode, uid_t uid, gid_t gid) {
  struct stat device {};
  device.st_mode = mode;
  device.st_uid = uid;
  device.st_gid = gid;
  return device;
}

TEST(CheckTerminal, TakesATerminalOfTheSession) {
  EXPECT_TRUE(CheckTerminal(Device(S_IFCHR | 0620, kOwner, 5), kOwner).ok());
  EXPECT_TRUE(CheckTerminal(Device(S_IFCHR | 0600, kOwner, 1000), kOwner).ok());
}

TEST(CheckTerminal, RefusesWhatOthersCanTypeIntoOrRead) {
  for (const struct stat& device : {
           Device(S_IFREG | 0600, kOwner, 5),      // a file
           Device(S_IFIFO | 0600, kOwner, 5),      // a pipe
           Device(S_IFCHR | 0620, kOwner + 1, 5),  // of somebody else
           Device(S_IFCHR | 0622, kOwner, 5),      // mesg y of old
           Device(S_IFCHR | 0620, kOwner, 1000),   // of another group
           Device(S_IFCHR | 0660, kOwner, 5),      // read by a group
           Device(S_IFCHR | 0604, kOwner, 5),
       }) {
    EXPECT_TRUE(absl::IsPermissionDenied(CheckTerminal(device, kOwner)));
  }
}

TEST(TerminalType, FollowsFromTheDevice) {
  EXPECT_EQ(TerminalType("/dev/pts/3"), "xterm");
  EXPECT_EQ(TerminalType("/dev/tty2"), "linux");
  EXPECT_EQ(TerminalType("/dev/ttyS0"), "vt100");
  EXPECT_EQ(TerminalType("/dev/tty"), "vt100");
}

TEST(Terminal, OpensOnlyTerminalsBelowDev) {
  EXPECT_TRUE(absl::IsInvalidArgument(Terminal::Open("/tmp/tty").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Terminal::Open("/dev/../tmp/tty").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Terminal::Open("/dev/pts/1\n2").status()));
  const absl::Status missing = Terminal::Open("/dev/pts/nothing").status();
  EXPECT_TRUE(absl::IsFailedPrecondition(missing));
  EXPECT_THAT(std::string(missing.message()), HasSubstr("/dev/pts/nothing"));
}

}  // namespace
}  // namespace signet::prompter_tty
