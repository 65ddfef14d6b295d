// All backends of the configuration: what the core's Signer and KeyMaker are made of.
#ifndef SIGNET_AGENT_BACKENDS_BACKEND_POOL_H_
#define SIGNET_AGENT_BACKENDS_BACKEND_POOL_H_

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/backends/backend_status.h"
#include "agent/backends/backend_supervisor.h"
#include "agent/identity/key_source.h"
#include "agent/policy/configuration.h"
#include "ipc/transport/descriptor.h"

namespace signet::agent {

// Loop thread only. Each backend works by itself: none waits for another. Calls fail as
// BackendSupervisor::Call, with what the backend itself says, and with kNotFound for a name that is
// not configured. Stop has ended before this goes, or the loop does not run again.
class BackendPool final : public Signer, public KeyMaker {
 public:
  BackendPool(asio::any_io_executor executor, std::vector<BackendConfiguration> backends,
              std::filesystem::path program, KeysListener on_keys, BackendLimits limits = {});

  // Once; `on_keys` is called from then on, in the loop. The processes start when the loop runs.
  void Start();
  // Ends all processes, at once and in at most a few seconds, and leaves no zombie.
  asio::awaitable<void> Stop();

  asio::awaitable<absl::StatusOr<wire::Bytes>> Sign(const KeyReference& key,
                                                    wire::SignatureScheme scheme,
                                                    wire::BytesView message, SignatureCheck check,
                                                    Deadline deadline) override;
  bool WantsPin(const KeyReference& key) const override;
  asio::awaitable<absl::StatusOr<NewKey>> CreateKey(const std::string& backend,
                                                    const std::string& label,
                                                    const std::string& algorithm,
                                                    Deadline deadline) override;
  asio::awaitable<absl::Status> RemoveKey(const KeyReference& key, Deadline deadline) override;

  // The read end of the PIN's pipe goes to the backend unread. `keys` are references of the
  // backend's keys. kFailedPrecondition, and no try spent, when it would be the last and is to be
  // kept. Status knows by then how many are left.
  asio::awaitable<absl::Status> Unlock(std::string backend, std::vector<wire::Bytes> keys,
                                       ipc::Descriptor pin_pipe, LastTry last_try,
                                       Deadline deadline);
  asio::awaitable<absl::Status> Lock(std::string backend, Deadline deadline);
  // All at once: when it returns, at the latest soon after the deadline, no process knows a PIN any
  // more. Unlocks that wait fail with kCancelled.
  asio::awaitable<void> LockAll(Deadline deadline);

  // Called, in the loop, whenever Statuses() says something else. Set before Start.
  void OnChange(const std::function<void()>& changed);

  // In the order of the configuration.
  std::vector<BackendStatus> Statuses() const;

 private:
  asio::awaitable<BackendAnswer> Call(const std::string& backend,
                                      backend::v1::BackendRequest request,
                                      ipc::Descriptor descriptor, Deadline deadline,
                                      SignatureCheck check = {});
  BackendSupervisor* Find(const std::string& name) const;

  const asio::any_io_executor executor_;
  std::vector<std::unique_ptr<BackendSupervisor>> backends_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_BACKENDS_BACKEND_POOL_H_
