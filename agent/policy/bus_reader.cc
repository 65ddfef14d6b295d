#include "agent/policy/bus_reader.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "agent/policy/toml_reader.h"

namespace signet::agent {

LockCauses BusConfiguration::causes() const {
  if (lock_on) return *lock_on;
  const bool persons = agent() == AgentKind::kUser;
  return {persons, persons, persons};
}

absl::Status ReadBus(const std::filesystem::path& file, const toml::table& root,
                     BusConfiguration& bus) {
  const toml::node* node = root.get("bus");
  if (node == nullptr) return absl::OkStatus();
  if (!node->is_table()) return Complain(file, *node, "bus is not a table; write [bus]");
  const TableReader reader(file, *node->as_table(), "[bus]");
  std::string kind;
  absl::Status status = reader.OnlyKeys({"enabled", "kind"});
  if (status.ok()) status = reader.ReadBoolean("enabled", bus.enabled);
  if (status.ok()) status = reader.ReadString("kind", kind);
  if (!status.ok() || kind.empty()) return status;
  if (kind == "session") {
    bus.kind = AgentKind::kUser;
  } else if (kind == "system") {
    bus.kind = AgentKind::kSystem;
  } else {
    return reader.Complain("kind", absl::StrCat("there is no ", kind,
                                                " bus for an agent; write "
                                                "kind = \"session\" or kind = \"system\""));
  }
  return absl::OkStatus();
}

absl::Status ReadLock(const std::filesystem::path& file, const toml::table& root,
                      BusConfiguration& bus) {
  const toml::node* node = root.get("lock");
  if (node == nullptr) return absl::OkStatus();
  if (!node->is_table()) return Complain(file, *node, "lock is not a table; write [lock]");
  const TableReader reader(file, *node->as_table(), "[lock]");
  if (absl::Status status = reader.OnlyKeys({"on"}); !status.ok()) return status;
  if (!reader.Has("on")) return absl::OkStatus();
  const toml::array* list = reader.table().get("on")->as_array();
  if (list == nullptr) {
    return reader.Complain("on",
                           "on is not a list; write on = [\"screen\", \"sleep\", \"logout\"]");
  }
  LockCauses causes;
  for (const toml::node& cause : *list) {
    const auto* name = cause.as_string();
    const std::string text = name == nullptr ? "" : name->get();
    if (text == "screen") {
      causes.screen = true;
    } else if (text == "sleep") {
      causes.sleep = true;
    } else if (text == "logout") {
      causes.logout = true;
    } else {
      return Complain(file, cause,
                      "[lock] on: nothing to lock for; write \"screen\", \"sleep\" or \"logout\"");
    }
  }
  bus.lock_on = causes;
  return absl::OkStatus();
}

absl::Status CheckBus(const std::filesystem::path& file, const BusConfiguration& bus) {
  const LockCauses causes = bus.causes();
  if (causes.any() && !bus.enabled && bus.lock_on) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.native(),
                     ": [lock] on needs the system bus, but [bus] says enabled = "
                     "false; remove one of them"));
  }
  if (bus.agent() == AgentKind::kUser || (!causes.screen && !causes.logout)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(file.native(),
                   ": [lock] on: the system's agent belongs to no session, so it "
                   "can lock for \"sleep\" alone; remove the others"));
}

}  // namespace signet::agent
