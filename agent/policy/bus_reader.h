// Reads [bus] and [lock]. Private to agent/policy.
#ifndef SIGNET_AGENT_POLICY_BUS_READER_H_
#define SIGNET_AGENT_POLICY_BUS_READER_H_

#include <toml++/toml.h>

#include <filesystem>

#include "absl/status/status.h"
#include "agent/policy/bus_configuration.h"

namespace signet::agent {

// Of one file, in place of what files before it said.
absl::Status ReadBus(const std::filesystem::path& file, const toml::table& root,
                     BusConfiguration& bus);
absl::Status ReadLock(const std::filesystem::path& file, const toml::table& root,
                      BusConfiguration& bus);

// kInvalidArgument when the system's agent is to lock for what concerns one person's sessions.
absl::Status CheckBus(const std::filesystem::path& file, const BusConfiguration& bus);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_POLICY_BUS_READER_H_
