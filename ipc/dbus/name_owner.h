// Who has a well-known name of a bus now, by the bus's own word.
#ifndef SIGNET_IPC_DBUS_NAME_OWNER_H_
#define SIGNET_IPC_DBUS_NAME_OWNER_H_

#include <functional>
#include <string>

#include "ipc/dbus/connection.h"

namespace signet::ipc {

// Whose signals count: anybody may send us one that looks like another's, but nobody can choose the
// unique name that the bus puts into it as the sender.
//
// Loop thread only.
class NameOwner {
 public:
  // `on_change` is called when the name has got an owner, another one, or none; from the bus's
  // first answer on.
  NameOwner(BusConnection& bus, const std::string& name, std::function<void()> on_change);
  NameOwner(const NameOwner&) = delete;
  NameOwner& operator=(const NameOwner&) = delete;

  bool exists() const { return !owner_.empty(); }
  bool Sent(sd_bus_message& message) const;

 private:
  void Become(const char* owner);

  std::function<void()> on_change_;
  std::string owner_;  // a unique name, ":1.42"
  BusSlot changes_;
  BusSlot question_;
};

}  // namespace signet::ipc

#endif  // SIGNET_IPC_DBUS_NAME_OWNER_H_
