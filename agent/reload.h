// Reads the configuration again when SIGHUP asks for it.
#ifndef SIGNET_AGENT_RELOAD_H_
#define SIGNET_AGENT_RELOAD_H_

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/signal_set.hpp>
#include <asio/thread_pool.hpp>

#include "absl/status/status.h"
#include "agent/audit/audit_trail.h"
#include "agent/policy/configuration.h"
#include "agent/policy/policy.h"

namespace signet::agent {

// Does [access] let in anyone but this uid? Then they must reach the sockets.
bool AdmitsOthers(const Access& access);

// Can the running agent go from one to the other? Rules and uids may change. kFailedPrecondition
// for what only a new start can change: backends, and whether other uids reach the sockets at all.
absl::Status CheckReloadable(const Configuration& running, const Configuration& wanted);

// Loop thread only; the references outlive it, and it the loop's last turn.
class Reload {
 public:
  // From here on SIGHUP ends no process.
  Reload(const asio::any_io_executor& loop, asio::thread_pool& file_worker, Configuration running,
         Policy& policy, AuditTrail& audit);

  // On each SIGHUP: all of the new configuration holds from then on, for connections that are open
  // too; or, when it is not understood or not reloadable, nothing of it, and the last good one
  // stays. Says which on stderr, in the audit and to the service manager. Until Stop().
  asio::awaitable<void> Run();
  void Stop();

 private:
  asio::signal_set hangups_;
  asio::thread_pool& file_worker_;
  Configuration running_;
  Policy& policy_;
  AuditTrail& audit_;
  bool stopped_ = false;  // a signal that has just come can't be cancelled any more
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_RELOAD_H_
