#include "ipc/dbus/address.h"

#include <stdlib.h>

#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace signet::ipc {
namespace {

std::string Variable(const char* name) {
  const char* value = secure_getenv(name);
  return value == nullptr ? "" : value;
}

// D-Bus specification, "Server Addresses": which bytes may stand for themselves.
std::string Escape(std::string_view path) {
  std::string escaped;
  for (const char c : path) {
    const bool itself =
        absl::ascii_isalnum(c) || std::string_view("-_/.\\*").find(c) != std::string_view::npos;
    if (itself) {
      escaped.push_back(c);
    } else {
      absl::StrAppendFormat(&escaped, "%%%02x", static_cast<unsigned char>(c));
    }
  }
  return escaped;
}

}  // namespace

const char* Name(BusKind kind) { return kind == BusKind::kSession ? "session" : "system"; }

absl::StatusOr<std::string> FindBus(BusKind kind) {
  const char* name =
      kind == BusKind::kSession ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS";
  const std::string address = Variable(name);
  for (const absl::string_view one : absl::StrSplit(address, ';', absl::SkipEmpty())) {
    if (absl::StartsWith(one, "unix:")) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is not the address of a local socket; it must start with unix:"));
  }
  if (!address.empty()) return address;
  if (kind == BusKind::kSystem) return "unix:path=/run/dbus/system_bus_socket";
  const std::string runtime = Variable("XDG_RUNTIME_DIR");
  if (!runtime.empty()) return absl::StrCat("unix:path=", Escape(runtime), "/bus");
  return absl::NotFoundError(
      absl::StrCat("neither ", name, " nor XDG_RUNTIME_DIR says where the session bus is"));
}

}  // namespace signet::ipc
