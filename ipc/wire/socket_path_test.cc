#include "ipc/wire/socket_path.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <map>
#include <optional>

namespace signet::wire {
namespace {

// Each test sees only the variables that it sets.
class SocketPathTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"SIGNET_AGENT_SOCKET", "SIGNET_RUNTIME_DIR", "XDG_RUNTIME_DIR"}) {
      const char* value = getenv(name);
      saved_[name] = value == nullptr ? std::nullopt : std::optional<std::string>(value);
      unsetenv(name);
    }
  }
  void TearDown() override {
    for (const auto& [name, value] : saved_) {
      value ? setenv(name.c_str(), value->c_str(), 1) : unsetenv(name.c_str());
    }
  }

 private:
  std::map<std::string, std::optional<std::string>> saved_;
};

TEST_F(SocketPathTest, FallsBackStepByStep) {
  EXPECT_EQ(AgentSocketPath(), "/run/signet/agent.sock");
  EXPECT_EQ(GrpcSocketPath(), "/run/signet/grpc.sock");
  setenv("XDG_RUNTIME_DIR", "/run/user/1000", 1);
  EXPECT_EQ(RuntimeDir(), "/run/user/1000/signet");
  EXPECT_EQ(AgentSocketPath(), "/run/user/1000/signet/agent.sock");
  setenv("SIGNET_RUNTIME_DIR", "/tmp/run/", 1);
  EXPECT_EQ(AgentSocketPath(), "/tmp/run/agent.sock");
  EXPECT_EQ(GrpcSocketPath(), "/tmp/run/grpc.sock");
  setenv("SIGNET_AGENT_SOCKET", "/elsewhere/a.sock", 1);
  EXPECT_EQ(AgentSocketPath(), "/elsewhere/a.sock");
  EXPECT_EQ(GrpcSocketPath(), "/elsewhere/grpc.sock");
  EXPECT_EQ(AgentSocketPath("/option/b.sock"), "/option/b.sock");
  EXPECT_EQ(GrpcSocketPath("/option/b.sock"), "/option/grpc.sock");
}

TEST_F(SocketPathTest, TreatsEmptyAndRelativeVariablesAsUnset) {
  setenv("SIGNET_AGENT_SOCKET", "", 1);
  setenv("SIGNET_RUNTIME_DIR", "", 1);
  setenv("XDG_RUNTIME_DIR", "relative", 1);
  EXPECT_EQ(AgentSocketPath(), "/run/signet/agent.sock");
}

TEST_F(SocketPathTest, KeepsARelativeOptionRelative) {
  EXPECT_EQ(AgentSocketPath("agent.sock"), "agent.sock");
  EXPECT_EQ(GrpcSocketPath("agent.sock"), "grpc.sock");
  EXPECT_EQ(GrpcSocketPath("./run/agent.sock"), "./run/grpc.sock");
}

}  // namespace
}  // namespace signet::wire
