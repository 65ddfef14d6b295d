// How a command fails: status codes in this folder, the exit code and the word for --json.
//
//   kInvalidArgument     the command line is wrong
//   kUnavailable         no agent answers
//   kPermissionDenied    the agent does not admit the caller
//   kNotFound            no such identity or token
//   kUnauthenticated     wrong PIN
//   kFailedPrecondition  the token is locked
//   kAborted             the PIN is blocked
//   kResourceExhausted   the TPM is in lockout, or the agent is busy: later it may work
//   any other            it did not work
#ifndef SIGNET_AGENT_CLI_FAILURE_H_
#define SIGNET_AGENT_CLI_FAILURE_H_

#include <grpcpp/support/status.h>

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "ipc/agent.pb.h"

namespace signet::cli {

enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,
  kNoAgent = 3,
  kAccess = 4,
  kNotFound = 5,
  kWrongPin = 6,
  kTokenRefuses = 7,
  kBusy = 8,
};

// What --help says about them.
extern const char kExitCodeHelp[];

ExitCode ExitCodeOf(const absl::Status& status);
std::string_view CodeNameOf(const absl::Status& failure);  // "access-denied" and so on
std::string MessageOf(const absl::Status& failure);

// What the agent answered on grpc.sock and on agent.sock. A malformed argument found by the agent
// is a failure, not a wrong command line.
absl::Status FromGrpc(const grpc::Status& status);
absl::Status FromAgentError(const v1::Error& error);

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_FAILURE_H_
