// The process at the other end of a connection.
#ifndef SIGNET_AGENT_CALLER_PEER_PROCESS_H_
#define SIGNET_AGENT_CALLER_PEER_PROCESS_H_

#include <asio/awaitable.hpp>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "agent/authentication/calling_process.h"
#include "agent/caller/process_reader.h"
#include "ipc/transport/peer.h"

namespace signet::agent {

// The reader outlives it.
class PeerProcess : public CallingProcess {
 public:
  // Shared: a call may outlive its connection.
  PeerProcess(std::shared_ptr<const ipc::Peer> peer, ProcessReader& reader)
      : peer_(std::move(peer)), reader_(reader) {}

  absl::Status CheckUnchanged() const override;
  asio::awaitable<void> Describe(Caller& caller) const override;

  // Errors as ProcessReader's.
  asio::awaitable<absl::StatusOr<std::string>> Sha256() const { return reader_.Sha256(peer_); }

 private:
  const std::shared_ptr<const ipc::Peer> peer_;
  ProcessReader& reader_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_CALLER_PEER_PROCESS_H_
