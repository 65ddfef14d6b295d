#include "agent/policy/configuration.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "agent/policy/bus_reader.h"
#include "agent/policy/policy_folders.h"
#include "agent/policy/toml_reader.h"

namespace signet::agent {
namespace {

constexpr size_t kMaxBackendNameLength = 64;
constexpr int64_t kFirstPersistentHandle = 0x81000000;  // TPM 2.0 part 2, section 7.4
constexpr int64_t kLastPersistentHandle = 0x81ffffff;
constexpr std::chrono::seconds kLongestPinLifetime = std::chrono::hours(31 * 24);

// What a type of backend takes beside name and type.
struct Option {
  const char* key;
  const char* type;
};
constexpr Option kOptions[] = {{"tcti", "tpm2"},     {"parent", "tpm2"},  {"auth", "tpm2"},
                               {"module", "pkcs11"}, {"token", "pkcs11"}, {"touch", "pkcs11"},
                               {"socket", "agent"}};

constexpr const char* kSystemAgentSocket = "/run/signet/agent.sock";

// Agents of users use that of the system. It in turn uses nobody's, so that no two wait for each
// other.
absl::Status CheckType(const TableReader& reader, const std::string& name, AgentKind agent) {
  if (name == "tpm2" || name == "pkcs11" || name == "software") return absl::OkStatus();
  if (name == "agent" && agent == AgentKind::kUser) return absl::OkStatus();
  if (name == "agent") {
    return reader.Complain("type",
                           "backend type \"agent\" is for the agents of users, and this is the "
                           "configuration of the system's; use \"tpm2\", \"pkcs11\" or "
                           "\"software\"");
  }
  return reader.Complain("type", absl::StrCat("unknown backend type \"", name,
                                              "\"; use \"tpm2\", \"pkcs11\", \"software\" or "
                                              "\"agent\""));
}

absl::Status CheckBackendName(const TableReader& reader, absl::string_view name) {
  const bool fits = name.size() <= kMaxBackendNameLength && name.front() != '.' &&
                    name.front() != '-' && std::all_of(name.begin(), name.end(), [](char c) {
                      return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
                    });
  if (fits) return absl::OkStatus();
  return reader.Complain("name",
                         absl::StrCat("backend name \"", name,
                                      "\" does not fit; use 1 to 64 letters, digits, "
                                      "\".\", \"_\" or \"-\", the first not \".\" or \"-\""));
}

// An option of another type is a contradiction, not a key to ignore.
absl::Status CheckOptions(const TableReader& reader, const std::string& type) {
  for (const Option& option : kOptions) {
    if (option.type != type && reader.Has(option.key)) {
      return reader.Complain(option.key, absl::StrCat(option.key, " is an option of type \"",
                                                      option.type, "\", but this is type \"", type,
                                                      "\"; remove it or change the type"));
    }
  }
  return absl::OkStatus();
}

absl::Status ReadParent(const TableReader& reader, uint32_t& parent) {
  if (!reader.Has("parent")) return absl::OkStatus();
  const auto* value = reader.table().get("parent")->as_integer();
  if (value == nullptr || value->get() < kFirstPersistentHandle ||
      value->get() > kLastPersistentHandle) {
    return reader.Complain("parent",
                           "parent is not a persistent handle; write a number from 0x81000000 to "
                           "0x81ffffff without quotes, such as parent = 0x81000001");
  }
  parent = static_cast<uint32_t>(value->get());
  return absl::OkStatus();
}

absl::Status ReadDuration(const TableReader& reader, const std::string& key,
                          std::chrono::seconds& duration) {
  std::string text;
  if (absl::Status read = reader.ReadString(key, text); !read.ok() || text.empty()) return read;
  if (text == "never") {
    duration = std::chrono::seconds(0);
    return absl::OkStatus();
  }
  const std::string number = text.substr(0, text.size() - 1);
  const uint32_t unit = text.back() == 's'   ? 1
                        : text.back() == 'm' ? 60
                        : text.back() == 'h' ? 3600
                                             : 0;
  uint32_t count = 0;
  const bool whole = unit > 0 && std::ranges::all_of(number, absl::ascii_isdigit) &&
                     absl::SimpleAtoi(number, &count);
  if (!whole || count == 0 || count > kLongestPinLifetime.count() / unit) {
    return reader.Complain(key, absl::StrCat(key, " \"", text,
                                             "\" is not a time; write \"15m\", \"8h\", \"90s\", "
                                             "up to \"744h\", or \"never\""));
  }
  duration = std::chrono::seconds(count) * unit;
  return absl::OkStatus();
}

absl::Status ReadPinLifetime(const TableReader& reader, BackendConfiguration& backend) {
  const bool has_pin = backend.type == "pkcs11" || backend.auth;
  for (const char* key : {"pin_idle", "pin_lifetime"}) {
    if (!has_pin && reader.Has(key)) {
      return reader.Complain(key, absl::StrCat(key,
                                               " is for backends that have a PIN: type \"pkcs11\", "
                                               "or \"tpm2\" with auth = true; remove it"));
    }
  }
  absl::Status status = ReadDuration(reader, "pin_idle", backend.pin_idle);
  if (status.ok()) status = ReadDuration(reader, "pin_lifetime", backend.pin_lifetime);
  return status;
}

absl::Status ReadPkcs11(const TableReader& reader, BackendConfiguration& backend) {
  if (absl::Status read = reader.RequireString("module", backend.module); !read.ok()) return read;
  if (backend.module.front() != '/') {
    return reader.Complain("module", absl::StrCat("module \"", backend.module,
                                                  "\" is not an absolute path; write the whole "
                                                  "path of the PKCS#11 library"));
  }
  absl::Status status = reader.RequireString("token", backend.token);
  if (status.ok()) status = reader.ReadBoolean("touch", backend.touch);
  return status;
}

absl::Status ReadAgent(const TableReader& reader, BackendConfiguration& backend) {
  backend.socket = kSystemAgentSocket;
  if (absl::Status read = reader.ReadString("socket", backend.socket); !read.ok()) return read;
  if (backend.socket.front() == '/') return absl::OkStatus();
  return reader.Complain("socket", absl::StrCat("socket \"", backend.socket,
                                                "\" is not an absolute path; write the whole path "
                                                "of the other agent's agent.sock"));
}

absl::StatusOr<BackendConfiguration> ReadBackend(const TableReader& reader, AgentKind agent) {
  BackendConfiguration backend;
  absl::Status status = reader.OnlyKeys({"name", "type", "tcti", "parent", "auth", "module",
                                         "token", "touch", "socket", "pin_idle", "pin_lifetime"});
  if (status.ok()) status = reader.RequireString("name", backend.name);
  if (status.ok()) status = CheckBackendName(reader, backend.name);
  if (status.ok()) status = reader.RequireString("type", backend.type);
  if (status.ok()) status = CheckType(reader, backend.type, agent);
  if (status.ok()) status = CheckOptions(reader, backend.type);
  if (status.ok() && backend.type == "tpm2") status = reader.ReadString("tcti", backend.tcti);
  if (status.ok() && backend.type == "tpm2") status = ReadParent(reader, backend.parent);
  if (status.ok() && backend.type == "tpm2") status = reader.ReadBoolean("auth", backend.auth);
  if (status.ok() && backend.type == "pkcs11") status = ReadPkcs11(reader, backend);
  if (status.ok() && backend.type == "agent") status = ReadAgent(reader, backend);
  if (status.ok()) status = ReadPinLifetime(reader, backend);
  if (!status.ok()) return status;
  return backend;
}

// Adds them to those of the files before.
absl::Status ReadBackends(const std::filesystem::path& file, const toml::table& root,
                          AgentKind agent, std::vector<BackendConfiguration>& backends) {
  const absl::StatusOr<std::vector<const toml::table*>> tables = TablesOf(file, root, "backend");
  if (!tables.ok()) return tables.status();
  for (const toml::table* table : *tables) {
    const TableReader reader(file, *table, "[[backend]]");
    absl::StatusOr<BackendConfiguration> backend = ReadBackend(reader, agent);
    if (!backend.ok()) return backend.status();
    if (std::ranges::count(backends, backend->name, &BackendConfiguration::name) > 0) {
      return reader.Complain("name", absl::StrCat("a second backend named \"", backend->name,
                                                  "\"; give each its own name"));
    }
    backends.push_back(*std::move(backend));
  }
  return absl::OkStatus();
}

absl::StatusOr<uid_t> FindUser(const std::string& name) {
  std::vector<char> buffer(16 * 1024);
  passwd entry{};
  passwd* found = nullptr;
  getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found != nullptr) return found->pw_uid;
  return absl::NotFoundError(absl::StrCat("unknown user \"", name,
                                          "\"; write the name of an account of this machine, or a "
                                          "uid without quotes"));
}

absl::StatusOr<uid_t> ReadUser(const toml::node& node) {
  if (const auto* name = node.as_string()) return FindUser(name->get());
  const auto* uid = node.as_integer();
  // (uid_t)-1 is "no user" to the kernel.
  if (uid == nullptr || uid->get() < 0 || uid->get() >= std::numeric_limits<uid_t>::max()) {
    return absl::InvalidArgumentError("neither a uid nor a user name; write 1000 or \"alice\"");
  }
  return static_cast<uid_t>(uid->get());
}

absl::Status ReadUsers(const TableReader& reader, const std::string& key, std::vector<uid_t>& out) {
  if (!reader.Has(key)) return absl::OkStatus();
  const toml::array* list = reader.table().get(key)->as_array();
  if (list == nullptr || list->empty()) {
    return reader.Complain(key, absl::StrCat(key, " is not a list with at least one user; write ",
                                             key, " = [1000, \"alice\"]"));
  }
  std::vector<uid_t> users;
  for (const toml::node& node : *list) {
    const absl::StatusOr<uid_t> user = ReadUser(node);
    if (!user.ok()) {
      return Complain(reader.file(), node,
                      absl::StrCat("[access] ", key, ": ", user.status().message()));
    }
    users.push_back(*user);
  }
  out = std::move(users);
  return absl::OkStatus();
}

// A list that is given takes the place of that of the files before.
absl::Status ReadAccess(const std::filesystem::path& file, const toml::table& root,
                        Access& access) {
  const toml::node* node = root.get("access");
  if (node == nullptr) return absl::OkStatus();
  if (!node->is_table()) return Complain(file, *node, "access is not a table; write [access]");
  const TableReader reader(file, *node->as_table(), "[access]");
  absl::Status status = reader.OnlyKeys({"use", "admin"});
  if (status.ok()) status = ReadUsers(reader, "use", access.use);
  if (status.ok()) status = ReadUsers(reader, "admin", access.admin);
  return status;
}

// Likewise.
absl::Status ReadRequests(const std::filesystem::path& file, const toml::table& root,
                          wire::RequestForms& forms) {
  const toml::node* node = root.get("requests");
  if (node == nullptr) return absl::OkStatus();
  if (!node->is_table()) return Complain(file, *node, "requests is not a table; write [requests]");
  const TableReader reader(file, *node->as_table(), "[requests]");
  if (absl::Status status = reader.OnlyKeys({"accept"}); !status.ok()) return status;
  if (!reader.Has("accept")) return absl::OkStatus();
  const toml::array* list = reader.table().get("accept")->as_array();
  if (list == nullptr) {
    return reader.Complain("accept", "accept is not a list; write accept = [\"type-17\"]");
  }
  wire::RequestForms accepted;
  for (const toml::node& form : *list) {
    const auto* name = form.as_string();
    if (name != nullptr && name->get() == "type-17") {
      accepted.type_17 = true;
    } else if (name != nullptr && name->get() == "bare") {
      accepted.bare = true;
    } else {
      return Complain(file, form,
                      "[requests] accept: no form of requests; write \"type-17\" or \"bare\"");
    }
  }
  forms = accepted;
  return absl::OkStatus();
}

absl::Status ReadAudit(const std::filesystem::path& file, const toml::table& root, bool& required) {
  const toml::node* node = root.get("audit");
  if (node == nullptr) return absl::OkStatus();
  if (!node->is_table()) return Complain(file, *node, "audit is not a table; write [audit]");
  const TableReader reader(file, *node->as_table(), "[audit]");
  if (absl::Status known = reader.OnlyKeys({"required"}); !known.ok()) return known;
  return reader.ReadBoolean("required", required);
}

// A table that is given takes the place of that of the files before.
absl::Status ReadPrompts(const std::filesystem::path& file, const toml::table& root,
                         PromptsConfiguration& prompts) {
  const toml::node* node = root.get("prompts");
  if (node == nullptr) return absl::OkStatus();
  if (!node->is_table()) return Complain(file, *node, "prompts is not a table; write [prompts]");
  const TableReader reader(file, *node->as_table(), "[prompts]");
  PromptsConfiguration read;
  absl::Status status = reader.OnlyKeys({"enabled", "display", "xauthority", "tty"});
  if (status.ok()) status = reader.ReadBoolean("enabled", read.enabled);
  if (status.ok()) status = reader.ReadString("display", read.display);
  if (status.ok()) status = reader.ReadString("xauthority", read.xauthority);
  if (status.ok()) status = reader.ReadString("tty", read.tty);
  if (!status.ok()) return status;
  if (!read.display.empty() && !read.tty.empty()) {
    return reader.Complain("tty", "both display and tty are given; remove one of them");
  }
  if (!read.tty.empty() && !read.tty.starts_with("/dev/")) {
    return reader.Complain("tty", absl::StrCat("tty \"", read.tty,
                                               "\" is not a device; write the whole path, such as "
                                               "/dev/tty2"));
  }
  if (!read.xauthority.empty() && read.xauthority.front() != '/') {
    return reader.Complain("xauthority", absl::StrCat("xauthority \"", read.xauthority,
                                                      "\" is not an absolute path; write the whole "
                                                      "path"));
  }
  prompts = std::move(read);
  return absl::OkStatus();
}

// Of several the lowest holds, so that no file can loosen another's.
absl::Status ReadLimit(const TableReader& reader, const std::string& key, uint32_t& limit) {
  if (!reader.Has(key)) return absl::OkStatus();
  const auto* value = reader.table().get(key)->as_integer();
  if (value == nullptr || value->get() < 1 || value->get() > RateLimits::kMost) {
    return reader.Complain(key, absl::StrCat(key, " is not a number from 1 to ", RateLimits::kMost,
                                             ", so many in a minute; write one, or remove it"));
  }
  const auto wanted = static_cast<uint32_t>(value->get());
  limit = limit == 0 ? wanted : std::min(limit, wanted);
  return absl::OkStatus();
}

absl::Status ReadLimits(const std::filesystem::path& file, const toml::table& root,
                        RateLimits& limits) {
  const toml::node* node = root.get("limits");
  if (node == nullptr) return absl::OkStatus();
  if (!node->is_table()) return Complain(file, *node, "limits is not a table; write [limits]");
  const TableReader reader(file, *node->as_table(), "[limits]");
  absl::Status status = reader.OnlyKeys({"per_caller", "per_key"});
  if (status.ok()) status = ReadLimit(reader, "per_caller", limits.per_caller);
  if (status.ok()) status = ReadLimit(reader, "per_key", limits.per_key);
  return status;
}

// Rules and limits: what all files may have.
absl::Status ReadPolicy(const std::filesystem::path& file, const toml::table& root,
                        Configuration& configuration) {
  absl::StatusOr<std::vector<Rule>> rules = ReadRules(file, root);
  if (!rules.ok()) return rules.status();
  std::ranges::move(*rules, std::back_inserter(configuration.rules));
  return ReadLimits(file, root, configuration.limits);
}

}  // namespace

absl::Status ReadConfigurationFile(const std::filesystem::path& file,
                                   Configuration& configuration) {
  const absl::StatusOr<toml::table> root = ParseTomlFile(file);
  if (!root.ok()) return root.status();
  const TableReader reader(file, *root, "the file");
  absl::Status status = reader.OnlyKeys(
      {"backend", "rule", "limits", "access", "requests", "audit", "bus", "lock", "prompts"});
  if (status.ok()) status = ReadBackends(file, *root, configuration.agent, configuration.backends);
  if (status.ok()) status = ReadRequests(file, *root, configuration.request_forms);
  if (status.ok()) status = ReadPolicy(file, *root, configuration);
  if (status.ok()) status = ReadAccess(file, *root, configuration.access);
  if (status.ok()) status = ReadAudit(file, *root, configuration.audit_required);
  if (status.ok()) status = ReadBus(file, *root, configuration.bus);
  if (status.ok()) status = ReadLock(file, *root, configuration.bus);
  if (status.ok()) status = ReadPrompts(file, *root, configuration.prompts);
  return status;
}

absl::Status ReadPolicyFile(const std::filesystem::path& file, Configuration& configuration) {
  const absl::StatusOr<toml::table> root = ParseTomlFile(file);
  if (!root.ok()) return root.status();
  const absl::Status known = TableReader(file, *root, "the file").OnlyKeys({"rule", "limits"});
  if (!known.ok()) return known;
  return ReadPolicy(file, *root, configuration);
}

absl::StatusOr<Configuration> LoadConfiguration(
    const std::filesystem::path& file, const std::vector<std::filesystem::path>& policy_folders) {
  Configuration configuration;
  configuration.file = file;
  configuration.policy_folders = policy_folders;
  configuration.access = {{geteuid()}, {geteuid()}};
  const absl::StatusOr<std::vector<std::filesystem::path>> policies = PolicyFiles(policy_folders);
  if (!policies.ok()) return policies.status();
  for (const std::filesystem::path& policy : *policies) {
    const absl::Status status = ReadPolicyFile(policy, configuration);
    if (!status.ok()) return status;
  }
  absl::Status status = ReadConfigurationFile(file, configuration);
  if (!status.ok()) return status;
  const auto drop_ins = TomlFilesIn(file.parent_path() / "conf.d");
  if (!drop_ins.ok()) return drop_ins.status();
  for (const std::filesystem::path& drop_in : *drop_ins) {
    status = ReadConfigurationFile(drop_in, configuration);
    if (!status.ok()) return status;
  }
  if (status = CheckBus(file, configuration.bus); !status.ok()) return status;
  return configuration;
}

}  // namespace signet::agent
