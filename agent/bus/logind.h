// What logind says of the machine and of a person's sessions: when to lock the tokens.
//
// Source: org.freedesktop.login1(5).
#ifndef SIGNET_AGENT_BUS_LOGIND_H_
#define SIGNET_AGENT_BUS_LOGIND_H_

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/bus/token_lock.h"
#include "agent/policy/bus_configuration.h"
#include "ipc/dbus/bus.h"
#include "ipc/dbus/name_owner.h"
#include "ipc/transport/descriptor.h"

namespace signet::agent {

// On the system bus. Only what the owner of org.freedesktop.login1 sends counts.
//
// screen: a session of `uid` is told to lock (Lock), or says that it is locked (LockedHint), as
//   desktops do whose screen was locked by a key or for idleness. Unlock means nothing: tokens are
//   unlocked by a PIN.
// sleep: the machine is about to sleep (PrepareForSleep). A delay lock of logind's holds it until
//   the tokens are locked, or TokenLock::kPatience.
// logout: `uid` had sessions of a person and has none any more. Those of the user's manager
//   (user@.service) and of cron are nobody's.
//
// Loop thread only.
class Logind final : public ipc::BusClient {
 public:
  // The lock outlives it.
  Logind(uid_t uid, const LockCauses& causes, TokenLock& lock, ipc::Bus::Log log);

  void OnConnected(ipc::BusConnection& bus) override;
  void OnLost() override;

 private:
  // All of one look at the sessions; dropped when the next one begins.
  struct Look {
    std::vector<ipc::BusSlot> slots;
    std::map<std::string, bool> persons;  // by path: is it a person's?
    size_t unknown = 0;
  };

  void Attend();
  void WatchManager(const char* member, ipc::SignalHandler handler);
  void WatchSessions();
  void TakeInhibitor();
  void PrepareForSleep(bool begins);
  void LookAtSessions();
  void NoteSessions(sd_bus_message& list);
  void AskForClass(const std::string& path);
  void EndLook();
  void ScreenLocked(const std::string& session);
  void Lock(const char* why);

  const uid_t uid_;
  const LockCauses causes_;
  TokenLock& lock_;
  const ipc::Bus::Log log_;

  ipc::BusConnection* bus_ = nullptr;
  std::optional<ipc::NameOwner> logind_;
  std::vector<ipc::BusSlot> slots_;
  std::unique_ptr<Look> look_;
  std::set<std::string> sessions_;       // of `uid`, by path, as of the last look
  std::set<std::string> locked_unseen_;  // said to be locked before it was looked at
  bool person_there_ = false;            // survives a loss of the bus
  ipc::BusSlot inhibition_;
  ipc::Descriptor inhibitor_;  // the machine waits with sleeping until it is closed
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_BUS_LOGIND_H_
