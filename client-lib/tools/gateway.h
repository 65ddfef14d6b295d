// The gateway: accepts connections and runs them all on one thread and one epoll set.
#ifndef SIGNET_CLIENT_LIB_TOOLS_GATEWAY_H_
#define SIGNET_CLIENT_LIB_TOOLS_GATEWAY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "client-lib/tools/descriptor.h"
#include "client-lib/tools/gateway_connection.h"

namespace signet::tools {

class Gateway {
 public:
  // `listener` listens and does not block; `signals` is a signalfd: the first signal ends the
  // gateway gracefully (GOAWAY, what is in progress has policy.drain_timeout_ms), the second at
  // once. `policy` and `context` outlive the gateway.
  Gateway(Descriptor listener, Descriptor signals, const GatewayPolicy& policy, SSL_CTX* context);

  // Blocks until a signal has ended it.
  void Run();

 private:
  struct Entry {
    std::unique_ptr<GatewayConnection> connection;
    uint32_t events;
    uint64_t deadline;
  };
  using Entries = std::map<uint64_t, Entry>;

  void Watch(int fd, uint64_t id, uint32_t events, int operation);
  void AcceptSome();
  void PauseAccepting();
  void ResumeAccepting();
  void TakeSignal();
  void DriveOne(uint64_t id);
  void DriveExpired();
  uint64_t NextDeadline() const;

  Descriptor listener_;
  Descriptor signals_;
  Descriptor epoll_;
  const GatewayPolicy& policy_;
  SSL_CTX* context_;
  Entries entries_;
  std::set<std::pair<uint64_t, uint64_t>> deadlines_;  // of entries_: deadline, id
  uint64_t next_id_;
  bool stopping_ = false;
  uint64_t stop_deadline_;
  uint64_t resume_accepting_;  // kNever = accepting, or stopping
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_GATEWAY_H_
