// signet.toml and its drop-ins. A configuration that is not understood whole is refused whole.
#ifndef SIGNET_AGENT_POLICY_CONFIGURATION_H_
#define SIGNET_AGENT_POLICY_CONFIGURATION_H_

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/policy/bus_configuration.h"
#include "agent/policy/rate_limits.h"
#include "agent/policy/rule.h"
#include "ipc/wire/certificate_request.h"

namespace signet::agent {

struct BackendConfiguration {
  std::string name;
  std::string type;     // tpm2 | pkcs11 | software | agent
  std::string tcti;     // tpm2
  uint32_t parent = 0;  // tpm2: persistent handle; 0 = recreate the primary
  bool auth = false;    // tpm2: new keys have a PIN
  std::string module;   // pkcs11
  std::string token;    // pkcs11
  bool touch = false;   // pkcs11: it waits for a touch before it signs
  std::string socket;   // agent: that agent's agent.sock
  // Of what has a PIN: how long it stays unlocked, zero for ever. At first a pause, and a working
  // day.
  std::chrono::seconds pin_idle = std::chrono::minutes(15);   // since the last use
  std::chrono::seconds pin_lifetime = std::chrono::hours(8);  // since the unlock

  friend bool operator==(const BackendConfiguration&, const BackendConfiguration&) = default;
};

// Who may use and who may administer, by uid. Default of both: the agent's own uid.
struct Access {
  std::vector<uid_t> use;
  std::vector<uid_t> admin;
};

// Where the agent's own user can be asked when logind knows no login session of a caller: without
// systemd, or from a service. At most one of display and tty.
struct PromptsConfiguration {
  bool enabled = true;     // else nobody is asked anything, wherever
  std::string display;     // ":0", or the name of a Wayland socket, "wayland-0"
  std::string xauthority;  // of an X11 display; empty: where X11 looks by itself
  std::string tty;         // "/dev/tty2"

  friend bool operator==(const PromptsConfiguration&, const PromptsConfiguration&) = default;
};

struct Configuration {
  std::filesystem::path file;
  std::vector<std::filesystem::path> policy_folders;
  std::vector<BackendConfiguration> backends;
  std::vector<Rule> rules;
  Access access;
  wire::RequestForms request_forms;
  RateLimits limits;
  bool audit_required = false;  // no proof without a record of it on disk
  BusConfiguration bus;
  PromptsConfiguration prompts{};
  AgentKind agent = KindOfThisAgent();  // whose configuration it is
};

// Adds what one file says, signet.toml or a drop-in; one of a policy folder, which may hold rules
// and limits alone. On failure the configuration may hold a part of it.
absl::Status ReadConfigurationFile(const std::filesystem::path& file, Configuration& configuration);
absl::Status ReadPolicyFile(const std::filesystem::path& file, Configuration& configuration);

// Reads the rules of the policy folders (see policy_folders.h), `file`, and then conf.d/*.toml
// beside it, by name: backends and rules add up, a later rule wins, and a list of [access] or
// [requests] takes the place of an earlier one. Of several limits the lowest holds.
//
// kInvalidArgument messages read "FILE:LINE:COLUMN: what is wrong; what to write instead". Refused:
// unreadable file, TOML errors, unknown keys, wrong types, two backends of one name, an option of
// another backend type, an unknown user, a bad rule. A file that can't be read keeps the system's
// code (kNotFound, kPermissionDenied).
absl::StatusOr<Configuration> LoadConfiguration(
    const std::filesystem::path& file,
    const std::vector<std::filesystem::path>& policy_folders = {});

}  // namespace signet::agent

#endif  // SIGNET_AGENT_POLICY_CONFIGURATION_H_
