// An agent for the CLI's tests: a real grpc.sock and a real agent.sock in a folder of its own.
#ifndef SIGNET_AGENT_CLI_FAKE_AGENT_H_
#define SIGNET_AGENT_CLI_FAKE_AGENT_H_

#include <grpcpp/server.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "agent/cli/fake_admin.h"
#include "ipc/agent.pb.h"
#include "ipc/transport/descriptor.h"

namespace signet::cli {

// What came with the unlocks so far.
struct SeenUnlocks {
  int count = 0;
  std::string backend;
  std::string pin;  // all that the pipe held, to its end
  bool last_try = false;
};

// Set values before a command runs and read them after it; one command at a time.
class FakeAgent {
 public:
  FakeAgent();
  ~FakeAgent();

  FakeAdmin admin;
  FakeAgentService agent;
  // The bytes that answer an unlock, at first Unlocked(); nothing = hang up.
  void AnswerUnlock(std::optional<std::string> answer);
  SeenUnlocks unlocks();

  const std::string& folder() const { return folder_; }
  std::string socket() const { return folder_ + "/agent.sock"; }

  // An answer to the call that the CLI makes.
  static v1::AgentMessage Unlocked();
  static v1::AgentMessage Refused(v1::ErrorCode code, const std::string& message);

  // Ends the connections to grpc.sock, calls under way included. Not from a call.
  void StopGrpc();

 private:
  void Serve();
  void ServeOne(ipc::Descriptor connection);

  std::string folder_;
  std::unique_ptr<grpc::Server> server_;
  ipc::Descriptor listener_;
  std::mutex mutex_;  // guards the next two
  std::optional<std::string> unlock_answer_;
  SeenUnlocks unlocks_;
  std::thread thread_;
};

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_FAKE_AGENT_H_
