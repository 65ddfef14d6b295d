// All other agents of the configuration: what the core's Upstream is made of.
#ifndef SIGNET_AGENT_UPSTREAM_OTHER_AGENTS_H_
#define SIGNET_AGENT_UPSTREAM_OTHER_AGENTS_H_

#include <asio/any_io_executor.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/authentication/upstream.h"
#include "agent/backends/backend_status.h"
#include "agent/policy/configuration.h"
#include "agent/upstream/other_agent.h"

namespace signet::agent {

// kInvalidArgument when one of them is the agent that listens in this folder.
absl::Status CheckNotItself(const std::vector<BackendConfiguration>& backends,
                            const std::filesystem::path& runtime_dir);

// Loop thread only; each agent works by itself. Stop, and then let the loop come to its end.
class OtherAgents final : public Upstream {
 public:
  // Those of type "agent"; the rest are for the BackendPool.
  OtherAgents(const asio::any_io_executor& executor,
              const std::vector<BackendConfiguration>& backends, OtherAgent::KeysListener on_keys);

  // Before Start: called whenever a status may have changed.
  void OnChange(const std::function<void()>& changed);
  void Start();
  void Stop();

  std::vector<BackendStatus> Statuses() const;

  // kOk for a backend that is not another agent; else kUnimplemented, and whom to ask.
  absl::Status CheckOurs(const std::string& backend) const;

  asio::awaitable<Outcome> Authenticate(const AuthenticationCall& call,
                                        const KeyReference& identity) override;

 private:
  std::vector<std::unique_ptr<OtherAgent>> agents_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_UPSTREAM_OTHER_AGENTS_H_
