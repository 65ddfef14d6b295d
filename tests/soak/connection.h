// A connection to agent.sock whose calls may overlap. Unlike libsignet it can leave in mid-message.
#ifndef SIGNET_TESTS_SOAK_CONNECTION_H_
#define SIGNET_TESTS_SOAK_CONNECTION_H_

#include <optional>
#include <stdexcept>
#include <string>

#include "ipc/agent.pb.h"
#include "ipc/transport/descriptor.h"

namespace signet::soak {

// The agent has closed it, or is away.
struct Gone : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// One thread. Throws Gone.
class Connection {
 public:
  explicit Connection(const std::string& path);

  static std::string Frame(const v1::ClientMessage& message);
  void Write(const std::string& bytes);
  // The next message. Nothing when none came for so long that it is lost.
  std::optional<v1::AgentMessage> Read();
  // Takes and drops what comes until the agent closes; false when it never does.
  bool DrainToEnd();

 private:
  enum class Got { kBytes, kEnd, kNothing };
  Got ReadSome();

  ipc::Descriptor socket_;
  std::string read_;
};

}  // namespace signet::soak

#endif  // SIGNET_TESTS_SOAK_CONNECTION_H_
