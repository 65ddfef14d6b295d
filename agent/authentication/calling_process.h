// The process that asks, for as long as its call lasts: what is learnt of it later than when it
// asked.
#ifndef SIGNET_AGENT_AUTHENTICATION_CALLING_PROCESS_H_
#define SIGNET_AGENT_AUTHENTICATION_CALLING_PROCESS_H_

#include <asio/awaitable.hpp>

#include "absl/status/status.h"
#include "agent/policy/caller.h"

namespace signet::agent {

// Loop thread only.
class CallingProcess {
 public:
  virtual ~CallingProcess() = default;

  // Does the process that connected still live, as the same user and with the same program?
  // kPermissionDenied says what changed and what to do. Never waits.
  virtual absl::Status CheckUnchanged() const = 0;

  // Adds what a person is shown, and nothing is decided by: whose child it is, its command line.
  virtual asio::awaitable<void> Describe(Caller& caller) const = 0;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_AUTHENTICATION_CALLING_PROCESS_H_
