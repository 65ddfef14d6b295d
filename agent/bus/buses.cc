#include "agent/bus/buses.h"

#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

namespace signet::agent {

Buses::Buses(const asio::any_io_executor& loop, const BusConfiguration& configuration,
             Tokens& tokens, AuditLog& audit, const ipc::Bus::Log& log)
    : loop_(loop),
      lock_(loop, tokens, audit),
      logind_(geteuid(), configuration.causes(), lock_, log) {
  if (!configuration.enabled) return;
  std::vector<ipc::BusClient*> system;
  if (configuration.causes().any()) system.push_back(&logind_);
  if (!system.empty()) {
    buses_.push_back(std::make_unique<ipc::Bus>(loop, ipc::BusKind::kSystem, system, log));
  }
}

void Buses::Start() {
  for (const auto& bus : buses_) asio::co_spawn(loop_, bus->Run(), asio::detached);
}

void Buses::Stop() {
  for (const auto& bus : buses_) bus->Stop();
}

}  // namespace signet::agent
