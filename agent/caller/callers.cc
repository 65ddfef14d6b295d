#include "agent/caller/callers.h"

#include <algorithm>
#include <utility>

#include "agent/caller/login.h"
#include "agent/caller/sandbox.h"

namespace signet::agent {

Caller CallerOf(const ipc::Peer& peer) {
  Caller caller;
  caller.pid = peer.pid;
  caller.uid = peer.uid;
  caller.gid = peer.gid;
  caller.start_time = peer.start_time;
  if (peer.executable) {
    caller.executable =
        Executable{peer.executable->device, peer.executable->inode, peer.executable->path};
  }
  return caller;
}

const Caller& Callers::LookUp(const std::shared_ptr<const ipc::Peer>& peer) {
  if (const auto known = known_.find(peer); known != known_.end()) return known->second;
  if (known_.size() >= prune_at_) {
    std::erase_if(known_, [](const auto& entry) { return entry.first.expired(); });
    prune_at_ = std::max<size_t>(64, 2 * known_.size());
  }
  Caller caller = CallerOf(*peer);
  LoginFacts login = LookUpLogin(caller.pid, caller.uid);
  caller.sandbox = SandboxOf(caller.pid, login);
  caller.unit = std::move(login.unit);
  caller.user_unit = std::move(login.user_unit);
  caller.login_session = std::move(login.session);
  return known_.emplace(peer, std::move(caller)).first->second;
}

}  // namespace signet::agent
