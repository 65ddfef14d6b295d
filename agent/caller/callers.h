// Who the peers of connections are: Caller values, and how long they hold.
#ifndef SIGNET_AGENT_CALLER_CALLERS_H_
#define SIGNET_AGENT_CALLER_CALLERS_H_

#include <cstddef>
#include <map>
#include <memory>

#include "agent/policy/caller.h"
#include "ipc/transport/peer.h"

namespace signet::agent {

// What the kernel said when the connection was accepted. Reads nothing.
Caller CallerOf(const ipc::Peer& peer);

// Remembers what it found out for as long as the connection lasts, since that takes as long as a
// signature; who only administers is not looked at. One thread.
class Callers {
 public:
  // With unit, login session and sandbox, as they were when it was first asked; without parents.
  // The reference is valid until the next call.
  const Caller& LookUp(const std::shared_ptr<const ipc::Peer>& peer);

  size_t size() const { return known_.size(); }

 private:
  std::map<std::weak_ptr<const ipc::Peer>, Caller, std::owner_less<>> known_;
  size_t prune_at_ = 64;  // those that are gone
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_CALLER_CALLERS_H_
