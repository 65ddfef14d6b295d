#include "agent/caller/peer_process.h"

#include "agent/caller/ancestry.h"

namespace signet::agent {

absl::Status PeerProcess::CheckUnchanged() const { return ipc::CheckUnchanged(*peer_); }

asio::awaitable<void> PeerProcess::Describe(Caller& caller) const {
  caller.parents = ParentsOf(peer_->pid, peer_->start_time);
  caller.command_line = co_await reader_.CommandLine(peer_);
}

}  // namespace signet::agent
