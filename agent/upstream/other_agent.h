// One [[backend]] of type "agent": what that agent lists, how it is, and calls forwarded to it.
#ifndef SIGNET_AGENT_UPSTREAM_OTHER_AGENT_H_
#define SIGNET_AGENT_UPSTREAM_OTHER_AGENT_H_

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "agent/authentication/authentication.h"
#include "agent/backends/backend_status.h"
#include "agent/identity/key_source.h"
#include "agent/policy/configuration.h"
#include "agent/upstream/upstream_call.h"

namespace signet::agent {

struct OtherAgentLimits {
  std::chrono::milliseconds listing{5'000};  // for it to list its identities
  std::chrono::milliseconds refresh{5'000};  // between two listings
  std::chrono::milliseconds first_retry{100};
  std::chrono::milliseconds last_retry{10'000};
  size_t calls = 64;  // at once; that agent has limits of its own
};

// Loop thread only. Outlives its coroutines: Stop, and then let the loop come to its end.
class OtherAgent {
 public:
  // All keys of this backend, in place of what was said before; none while it is not reachable.
  using KeysListener = std::function<void(const std::string& backend, std::vector<FoundKey> keys)>;

  OtherAgent(asio::any_io_executor executor, BackendConfiguration configuration,
             KeysListener on_keys, OtherAgentLimits limits = {});

  // Before Start: called whenever the status may have changed.
  void OnChange(std::function<void()> changed) { changed_ = std::move(changed); }
  // Keeps one connection to it from then on, lists, and sees it go; comes back with back-off.
  void Start();
  void Stop();

  const std::string& name() const { return configuration_.name; }
  const BackendStatus& status() const { return status_; }

  // See Upstream. Needs no listing to have gone well just now.
  asio::awaitable<Outcome> Authenticate(const AuthenticationCall& call,
                                        const KeyReference& identity);

 private:
  asio::awaitable<void> Watch();
  // Until the connection is of no more use; the error says why.
  asio::awaitable<absl::Status> Follow();
  asio::awaitable<void> WaitBeforeRetry();
  void Publish(const v1::ListIdentitiesResponse& listing);
  void NoteFailure(const absl::Status& why);
  Declined Failed(const absl::Status& why) const;

  const asio::any_io_executor executor_;
  const BackendConfiguration configuration_;
  const KeysListener on_keys_;
  const OtherAgentLimits limits_;
  BackendStatus status_;
  std::function<void()> changed_ = [] {};
  std::string listing_;  // published last, serialised
  std::unique_ptr<UpstreamCall> watch_;
  asio::steady_timer retry_;
  std::chrono::milliseconds next_retry_;
  size_t calls_ = 0;
  bool stopped_ = false;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_UPSTREAM_OTHER_AGENT_H_
