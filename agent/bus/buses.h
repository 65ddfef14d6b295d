// All that the agent has to do with D-Bus: builds it and connects it.
#ifndef SIGNET_AGENT_BUS_BUSES_H_
#define SIGNET_AGENT_BUS_BUSES_H_

#include <asio/any_io_executor.hpp>
#include <memory>
#include <vector>

#include "agent/audit/audit_log.h"
#include "agent/bus/agent_object.h"
#include "agent/bus/logind.h"
#include "agent/bus/token_lock.h"
#include "agent/front/tokens.h"
#include "agent/policy/bus_configuration.h"
#include "ipc/dbus/bus.h"

namespace signet::agent {

// Loop thread only. The references outlive it, and it the loop's last turn.
class Buses {
 public:
  Buses(const asio::any_io_executor& loop, const BusConfiguration& configuration, Tokens& tokens,
        const AgentObject::Sources& sources, AuditLog& audit, const ipc::Bus::Log& log);

  // Begins to connect and waits for nothing. What is not enabled is not tried.
  void Start();
  void Stop();
  // Tokens or identities may have changed.
  void Refresh() { object_.Refresh(); }

 private:
  const asio::any_io_executor loop_;
  TokenLock lock_;
  Logind logind_;
  AgentObject object_;
  std::vector<std::unique_ptr<ipc::Bus>> buses_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_BUS_BUSES_H_
