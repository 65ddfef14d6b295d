#include "agent/upstream/other_agents.h"

#include <system_error>

#include "absl/strings/str_cat.h"
#include "ipc/wire/socket_path.h"

namespace signet::agent {

absl::Status CheckNotItself(const std::vector<BackendConfiguration>& backends,
                            const std::filesystem::path& runtime_dir) {
  std::error_code ignored;
  const auto own = std::filesystem::weakly_canonical(runtime_dir / wire::kAgentSocketName, ignored);
  for (const BackendConfiguration& backend : backends) {
    if (backend.type != "agent") continue;
    if (std::filesystem::weakly_canonical(backend.socket, ignored) != own) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("backend \"", backend.name, "\": socket \"", backend.socket,
                     "\" is this agent's own; name that of another agent, or remove the backend"));
  }
  return absl::OkStatus();
}

OtherAgents::OtherAgents(const asio::any_io_executor& executor,
                         const std::vector<BackendConfiguration>& backends,
                         OtherAgent::KeysListener on_keys) {
  for (const BackendConfiguration& backend : backends) {
    if (backend.type != "agent") continue;
    agents_.push_back(std::make_unique<OtherAgent>(executor, backend, on_keys));
  }
}

void OtherAgents::OnChange(const std::function<void()>& changed) {
  for (const auto& agent : agents_) agent->OnChange(changed);
}

void OtherAgents::Start() {
  for (const auto& agent : agents_) agent->Start();
}

void OtherAgents::Stop() {
  for (const auto& agent : agents_) agent->Stop();
}

std::vector<BackendStatus> OtherAgents::Statuses() const {
  std::vector<BackendStatus> statuses;
  for (const auto& agent : agents_) statuses.push_back(agent->status());
  return statuses;
}

absl::Status OtherAgents::CheckOurs(const std::string& backend) const {
  for (const auto& agent : agents_) {
    if (agent->name() != backend) continue;
    return absl::UnimplementedError(
        absl::StrCat("backend \"", backend,
                     "\" is another agent, which looks after its own keys; "
                     "ask that one: signet --agent ",
                     agent->status().token, " ..."));
  }
  return absl::OkStatus();
}

asio::awaitable<Outcome> OtherAgents::Authenticate(const AuthenticationCall& call,
                                                   const KeyReference& identity) {
  for (const auto& agent : agents_) {
    if (agent->name() == identity.backend) co_return co_await agent->Authenticate(call, identity);
  }
  co_return Declined{DeclineReason::kTokenFailed,
                     absl::StrCat("no backend \"", identity.backend, "\" is configured")};
}

}  // namespace signet::agent
