#include "agent/caller/sandbox.h"

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <functional>

#include "agent/caller/test_process.h"
#include "tests/support/temporary_folder.h"

namespace signet::agent {
namespace {

constexpr char kInfo[] = "[Application]\nname=org.example.Browser\nruntime=runtime/org.x/1\n";

TEST(Sandbox, AProcessLikeOursIsInNone) {
  TestProcess process([] { return true; });
  EXPECT_EQ(SandboxOf(process.pid(), {}), "");
}

// A process whose root folder is a new one, which `fill` filled.
class SandboxRootTest : public ::testing::Test {
 protected:
  enum class On { kTmpfs, kDisk };

  void SetUp() override {
    if (!CanEnterMountNamespace()) GTEST_SKIP() << "needs a mount namespace of its own";
  }

  std::string In(On file_system, const std::function<bool()>& fill) {
    const std::string root = folder_.path();
    TestProcess process([&] {
      return EnterMountNamespace() &&
             (file_system == On::kDisk || mount("none", root.c_str(), "tmpfs", 0, nullptr) == 0) &&
             chdir(root.c_str()) == 0 && fill() && chroot(".") == 0;
    });
    EXPECT_TRUE(process.went_well());
    return SandboxOf(process.pid(), {});
  }

  const test::TemporaryFolder folder_;
};

TEST_F(SandboxRootTest, AFlatpakIsToldByTheFileInItsRoot) {
  EXPECT_EQ(In(On::kTmpfs, [] { return WriteFile(".flatpak-info", kInfo); }),
            "flatpak:org.example.Browser");
}

TEST_F(SandboxRootTest, AnotherRootFolderIsUnknown) {
  EXPECT_EQ(In(On::kTmpfs, [] { return true; }), kUnknownSandbox);
}

TEST_F(SandboxRootTest, WhatIsNotAPlainFileOnATmpfsIsNotOpened) {
  // A named pipe would make us wait for a writer.
  EXPECT_EQ(In(On::kTmpfs, [] { return mkfifo(".flatpak-info", 0600) == 0; }), kUnknownSandbox);
  EXPECT_EQ(In(On::kTmpfs,
               [] { return WriteFile("other", kInfo) && symlink("other", ".flatpak-info") == 0; }),
            kUnknownSandbox);
  EXPECT_EQ(In(On::kDisk, [] { return WriteFile(".flatpak-info", kInfo); }), kUnknownSandbox);
}

TEST(Sandbox, ARootFolderThatWeMayNotSeeIsUnknown) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to look with another user's eyes";
  TestProcess process([] { return true; });
  const pid_t other_user = fork();
  if (other_user == 0) {
    if (setgroups(0, nullptr) != 0 || setgid(65534) != 0 || setuid(65534) != 0) _exit(1);
    const bool unknown = SandboxOf(process.pid(), {}) == kUnknownSandbox;
    // Its unit can be seen all the same.
    const bool flatpak = SandboxOf(process.pid(), {.unit = "user@0.service",
                                                   .user_unit = "app-flatpak-org.a.B-7.scope",
                                                   .session = {}}) == "flatpak:org.a.B";
    _exit(unknown && flatpak ? 0 : 2);
  }
  int status = -1;
  ASSERT_EQ(waitpid(other_user, &status, 0), other_user);
  EXPECT_EQ(status, 0);
}

TEST(Sandbox, FlatpakOfInfoReadsTheApplicationsName) {
  EXPECT_EQ(FlatpakOfInfo(kInfo), "flatpak:org.example.Browser");
  EXPECT_EQ(FlatpakOfInfo("[Instance]\nname=x\n[Runtime]\nname=org.gnome.Sdk\n"),
            "flatpak:org.gnome.Sdk");
  for (const std::string text :
       {"", "name=org.x.Y", "[Application]", "[Application]\nname=", "[Instance]\nname=org.x.Y",
        "[Application]\nname=a b", "[Application]\nname=a\x1b[2J", "[Application]\nname=a/b"}) {
    EXPECT_EQ(FlatpakOfInfo(text), "") << text;
  }
  EXPECT_EQ(FlatpakOfInfo("[Application]\nname=" + std::string(256, 'x')), "");
}

TEST(Sandbox, FlatpakOfUnitReadsTheScopeThatFlatpakMakes) {
  EXPECT_EQ(FlatpakOfUnit("app-flatpak-org.x.Y-1234.scope"), "flatpak:org.x.Y");
  EXPECT_EQ(FlatpakOfUnit("app-flatpak-org.x.a\\x2db-1.scope"), "flatpak:org.x.a-b");
  for (const char* unit :
       {"", "app-flatpak-.scope", "app-flatpak-org.x.Y.scope", "app-org.x.Y-1.scope",
        "app-flatpak-org.x.Y-1.service", "app-flatpak-a\\x20b-1.scope"}) {
    EXPECT_EQ(FlatpakOfUnit(unit), "") << unit;
  }
}

TEST(Sandbox, SnapOfLabelReadsAppArmorsLabelAndSnapdsUnits) {
  EXPECT_EQ(SnapOfLabel("snap.firefox.firefox (enforce)\n"), "snap:firefox");
  EXPECT_EQ(SnapOfLabel("snap.a-b_c.app-12.scope"), "snap:a-b_c");
  for (const char* label :
       {"", "unconfined", "snap.", "snap..x", "snap.firefox", "snap.a b.c", "/usr/bin/snap.x.y"}) {
    EXPECT_EQ(SnapOfLabel(label), "") << label;
  }
}

TEST(Sandbox, MountTypeIsThatOfTheMountWithTheNumber) {
  constexpr char kMounts[] =
      "36 35 98:0 / /mnt1 rw,noatime master:1 - ext4 /dev/root rw\n"
      "136 35 0:4 /a /mnt2 rw - tmpfs none rw\n"
      "7 35 0:5 / /x rw\n";
  EXPECT_EQ(MountType(kMounts, 36), "ext4");
  EXPECT_EQ(MountType(kMounts, 136), "tmpfs");
  EXPECT_EQ(MountType(kMounts, 6), "");
  EXPECT_EQ(MountType(kMounts, 7), "");
  EXPECT_EQ(MountType("", 1), "");
}

}  // namespace
}  // namespace signet::agent
