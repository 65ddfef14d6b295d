// Where the buses are.
#ifndef SIGNET_IPC_DBUS_ADDRESS_H_
#define SIGNET_IPC_DBUS_ADDRESS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace signet::ipc {

enum class BusKind : uint8_t { kSession, kSystem };
const char* Name(BusKind kind);  // "session", "system"

// $DBUS_SESSION_BUS_ADDRESS, else $XDG_RUNTIME_DIR/bus; $DBUS_SYSTEM_BUS_ADDRESS, else the socket
// that the D-Bus specification names. kNotFound when nothing names the session bus;
// kInvalidArgument for what is no socket of AF_UNIX: others would have names looked up, or programs
// started.
absl::StatusOr<std::string> FindBus(BusKind kind);

}  // namespace signet::ipc

#endif  // SIGNET_IPC_DBUS_ADDRESS_H_
