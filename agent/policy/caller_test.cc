#include "agent/policy/caller.h"

#include <gtest/gtest.h>

namespace signet::agent {
namespace {

TEST(ProgramChain, NamesTheProgramAndWhereItComesFrom) {
  Caller caller;
  caller.pid = 1234;
  caller.executable = Executable{1, 2, "/usr/bin/curl"};
  EXPECT_EQ(ProgramChain(caller), "curl (1234)");
  caller.parents = {{1200, "bash"}, {1100, "sshd"}};
  EXPECT_EQ(ProgramChain(caller), "curl (1234) ← bash ← sshd");
  caller.executable.reset();
  EXPECT_EQ(ProgramChain(caller), "unknown program (1234) ← bash ← sshd");
}

TEST(ProgramChain, AProgramCannotNameItselfAChain) {
  Caller caller;
  caller.pid = 7;
  caller.executable = Executable{1, 2, "/tmp/curl (1) ← bash\n\x1b[2J"};
  EXPECT_EQ(ProgramChain(caller), "curl (1) ??? bash??[2J (7)");
}

TEST(PrintableName, IsShort) { EXPECT_EQ(PrintableName(std::string(1000, 'x')).size(), 64U); }

}  // namespace
}  // namespace signet::agent
