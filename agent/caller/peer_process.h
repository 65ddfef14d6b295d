// The process at the other end of a connection.
#ifndef SIGNET_AGENT_CALLER_PEER_PROCESS_H_
#define SIGNET_AGENT_CALLER_PEER_PROCESS_H_

#include <memory>
#include <utility>

#include "agent/authentication/calling_process.h"
#include "ipc/transport/peer.h"

namespace signet::agent {

class PeerProcess : public CallingProcess {
 public:
  // Shared: a call may outlive its connection.
  explicit PeerProcess(std::shared_ptr<const ipc::Peer> peer) : peer_(std::move(peer)) {}

  absl::Status CheckUnchanged() const override;
  asio::awaitable<void> Describe(Caller& caller) const override;

 private:
  const std::shared_ptr<const ipc::Peer> peer_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_CALLER_PEER_PROCESS_H_
