// org.signet.Agent1: what the desktop may see of the agent, and one thing that it may do: lock.
// Described in docs/dbus.md.
#ifndef SIGNET_AGENT_BUS_AGENT_OBJECT_H_
#define SIGNET_AGENT_BUS_AGENT_OBJECT_H_

#include <sys/types.h>

#include <asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agent/bus/published.h"
#include "agent/bus/token_lock.h"
#include "agent/consent/pending_prompts.h"
#include "agent/front/tokens.h"
#include "agent/identity/identity_store.h"
#include "agent/policy/policy.h"
#include "ipc/dbus/bus.h"

namespace signet::agent {

// Loop thread only; the references outlive it, and it the loop's last turn.
class AgentObject final : public ipc::BusClient {
 public:
  static constexpr size_t kMaxLocks = 16;  // that are being answered

  // What is published.
  struct Sources {
    const Tokens& tokens;
    const IdentityStore& identities;
    const Policy& policy;     // who may lock: [access] admin
    PendingPrompts* prompts;  // null: nobody is asked
  };

  AgentObject(const asio::any_io_executor& loop, AgentKind agent, const Sources& sources,
              TokenLock& lock, ipc::Bus::Log log);
  ~AgentObject() override;

  void OnConnected(ipc::BusConnection& bus) override;
  void OnLost() override;

  // Something may have changed; what has is told in a later turn of the loop.
  void Refresh();

  // sd-bus's, for its tables.
  struct Table;

 private:
  // Somebody's call of Lock, until it is answered.
  struct LockCall {
    ipc::BusMessage message;
    ipc::BusSlot question;  // who is it?
  };

  void Update();
  template <typename Objects>
  void TellChanges(const char* interface, Objects& told, Objects now);
  std::vector<PendingPrompt> Prompts() const;
  int BeginLock(sd_bus_message& call, sd_bus_error* error);
  void ContinueLock(uint64_t id, absl::StatusOr<sd_bus_message*> uid);
  void Answer(uint64_t id, const char* error, const char* text);

  const asio::any_io_executor loop_;
  const AgentKind agent_;
  const Sources sources_;
  TokenLock& lock_;
  const ipc::Bus::Log log_;

  ipc::BusConnection* bus_ = nullptr;
  std::vector<ipc::BusSlot> slots_;
  PublishedTokens tokens_;  // as told on the bus
  PublishedIdentities identities_;
  std::map<uint64_t, LockCall> locks_;
  uint64_t last_lock_ = 0;
  bool refreshing_ = false;
  bool prompts_changed_ = false;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_BUS_AGENT_OBJECT_H_
