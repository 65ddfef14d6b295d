// One connection to a D-Bus bus, by sd-bus on the event loop.
//
// Wrapped is what Signet does with a bus: calls, signals, names, errors. Messages and the tables of
// objects are sd-bus's own (sd_bus_message_read(3), sd_bus_add_object_vtable(3)); a program that
// sends something by sd-bus itself calls Stir() afterwards.
//
// Loop thread only. Nothing here waits: whatever is asked is answered by a handler, in a later turn
// of the loop. A handler may drop its own slot.
#ifndef SIGNET_IPC_DBUS_CONNECTION_H_
#define SIGNET_IPC_DBUS_CONNECTION_H_

#include <systemd/sd-bus.h>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace signet::ipc {

inline constexpr char kBusName[] = "org.freedesktop.DBus";  // the bus's own
inline constexpr char kBusPath[] = "/org/freedesktop/DBus";

// What was asked of a bus, for as long as this lives. May outlive the connection, which then has
// nothing to say any more.
class BusSlot {
 public:
  BusSlot() = default;
  explicit BusSlot(sd_bus_slot* slot) : slot_(slot) {}  // takes it over

 private:
  struct Unref {
    void operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }
  };
  std::unique_ptr<sd_bus_slot, Unref> slot_;
};

struct BusMessageUnref {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using BusMessage = std::unique_ptr<sd_bus_message, BusMessageUnref>;

// Of whose object what is called.
struct BusMethod {
  const char* destination;
  const char* path;
  const char* interface;
  const char* member;
};

// The message is borrowed.
using SignalHandler = std::function<void(sd_bus_message& signal)>;
using ReplyHandler = std::function<void(absl::StatusOr<sd_bus_message*> reply)>;

// What an error of sd-bus or of somebody on the bus means here. Text of others is cut to one line.
absl::Status BusError(absl::string_view operation, int result);
absl::Status BusError(absl::string_view operation, const sd_bus_error& error);

// Was it sent by the bus itself? A match rule does not ensure that: who sends a message to us alone
// goes past it.
bool IsFromBus(sd_bus_message& message);

class BusConnection {
 public:
  // Begins to connect. kUnavailable when nobody is there.
  static absl::StatusOr<std::unique_ptr<BusConnection>> Open(const asio::any_io_executor& loop,
                                                             const std::string& address);
  ~BusConnection();

  // Once: connects and serves, until the bus goes or something can't be sent (kUnavailable, why),
  // or Close (OK). `on_ready` is called when the bus has welcomed us. It outlives what it runs in.
  asio::awaitable<absl::Status> Run(std::function<void()> on_ready);
  void Close();

  // What can't be sent breaks the connection.
  template <typename... Arguments>
  BusSlot Call(const BusMethod& method, ReplyHandler handler, const char* types = "",
               Arguments... arguments) {
    BusMessage message = NewCall(method);
    if (message) Check(sd_bus_message_append(message.get(), types, arguments...), method.member);
    return Send(std::move(message), method.member, std::move(handler));
  }
  // All signals that match (D-Bus specification, "Match Rules"), and what was sent to us alone by
  // anybody who says so: see IsFromBus() and NameOwner.
  BusSlot Watch(const std::string& match, SignalHandler handler);
  // Replaces nobody: while another has the name (kAlreadyExists), we wait in the bus's queue.
  BusSlot RequestName(const std::string& name, std::function<void(absl::Status)> on_refused);

  // For tables, signals and replies of one's own.
  sd_bus& native() { return *bus_; }
  // Breaks the connection if the result of a call of sd-bus is an error.
  void Check(int result, absl::string_view operation);
  // There is something new to send or to wait for.
  void Stir();

 private:
  struct Unref {
    void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
  };

  BusConnection(const asio::any_io_executor& loop, sd_bus* bus);
  BusMessage NewCall(const BusMethod& method);
  BusSlot Send(BusMessage message, absl::string_view operation, ReplyHandler handler);
  asio::awaitable<void> WaitForWork();

  const asio::any_io_executor loop_;
  std::unique_ptr<sd_bus, Unref> bus_;
  // Shared with the socket's handlers, which may come when this is gone.
  std::shared_ptr<asio::steady_timer> wake_;
  absl::Status broken_;
  bool closed_ = false;
};

}  // namespace signet::ipc

#endif  // SIGNET_IPC_DBUS_CONNECTION_H_
