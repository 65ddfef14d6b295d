#include "agent/bus/buses.h"

#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <utility>

namespace signet::agent {

Buses::Buses(const asio::any_io_executor& loop, const BusConfiguration& configuration,
             Tokens& tokens, const AgentObject::Sources& sources, AuditLog& audit,
             const ipc::Bus::Log& log)
    : loop_(loop),
      lock_(loop, tokens, audit),
      logind_(geteuid(), configuration.causes(), lock_, log),
      object_(loop, configuration.agent(), sources, lock_, log) {
  if (!configuration.enabled) return;
  std::vector<ipc::BusClient*> system, session;
  if (configuration.causes().any()) system.push_back(&logind_);
  (configuration.agent() == AgentKind::kSystem ? system : session).push_back(&object_);
  const auto add = [&](ipc::BusKind kind, std::vector<ipc::BusClient*> clients) {
    if (clients.empty()) return;
    buses_.push_back(std::make_unique<ipc::Bus>(loop, kind, std::move(clients), log));
  };
  add(ipc::BusKind::kSystem, std::move(system));
  add(ipc::BusKind::kSession, std::move(session));
}

void Buses::Start() {
  for (const auto& bus : buses_) asio::co_spawn(loop_, bus->Run(), asio::detached);
}

void Buses::Stop() {
  for (const auto& bus : buses_) bus->Stop();
}

}  // namespace signet::agent
