#include "ipc/dbus/name_owner.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace signet::ipc {

NameOwner::NameOwner(BusConnection& bus, const std::string& name, std::function<void()> on_change)
    : on_change_(std::move(on_change)) {
  // First the changes, then how it stands: nothing is missed in between.
  changes_ = bus.Watch(
      absl::StrCat("type='signal',sender='", kBusName, "',path='", kBusPath, "',interface='",
                   kBusName, "',member='NameOwnerChanged',arg0='", name, "'"),
      [this, name](sd_bus_message& signal) {
        const char* changed = nullptr;
        const char* before = nullptr;
        const char* owner = nullptr;
        if (!IsFromBus(signal)) return;
        if (sd_bus_message_read(&signal, "sss", &changed, &before, &owner) < 0) return;
        if (changed == name) Become(owner);
      });
  question_ = bus.Call(
      {kBusName, kBusPath, kBusName, "GetNameOwner"},
      [this](absl::StatusOr<sd_bus_message*> reply) {
        const char* owner = nullptr;
        if (reply.ok() && sd_bus_message_read(*reply, "s", &owner) > 0) Become(owner);
      },
      "s", name.c_str());
}

bool NameOwner::Sent(sd_bus_message& message) const {
  const char* sender = sd_bus_message_get_sender(&message);
  return sender != nullptr && exists() && owner_ == sender;
}

void NameOwner::Become(const char* owner) {
  if (owner_ == owner) return;
  owner_ = owner;
  on_change_();
}

}  // namespace signet::ipc
