// One rule of the policy, and the words it is written in.
#ifndef SIGNET_AGENT_POLICY_RULE_H_
#define SIGNET_AGENT_POLICY_RULE_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "agent/identity/identity.h"
#include "agent/policy/caller.h"
#include "agent/policy/origin.h"
#include "agent/policy/purpose.h"
#include "ipc/wire/bytes.h"

namespace signet::agent {

enum class Verdict : uint8_t { kAllow, kDeny, kAsk };
std::string_view Name(Verdict verdict);  // "allow", "deny", "ask"
std::optional<Verdict> ParseVerdict(std::string_view name);

// For how long a person's yes counts.
struct OncePer {
  enum class Scope : uint8_t { kRequest, kConnection, kSession, kHours };
  static constexpr uint16_t kMaxHours = 720;

  Scope scope = Scope::kRequest;
  uint16_t hours = 0;  // of kHours

  friend bool operator==(const OncePer&, const OncePer&) = default;
};

// Root's agent, and that of another account of the system, is the system's; every other is a
// user's.
enum class AgentKind : uint8_t { kSystem, kUser };
AgentKind KindOfThisAgent();

// A value. Matches when all of its conditions do; an empty one (nothing) always does.
struct Rule {
  OriginPattern origin;
  std::string identity;  // a name, or "*", which admits but does not *name* an identity
  std::string program;   // absolute path in the agent's mount namespace
  Verdict decision = Verdict::kDeny;
  std::filesystem::path source;  // the file it stands in
  uint32_t line = 0;             // where it begins there; 0: it was not read from the file

  std::string issuer{};                 // of the leaf: its whole name as text, or its common name
  std::string extended_key_usage{};     // as it was written
  wire::Bytes extended_key_usage_id{};  // the same, DER of the OID
  std::optional<IdentityKind> kind{};
  std::string unit{};       // of the system's manager, `*` in it
  std::string user_unit{};  // of the user's manager, `*` in it
  std::optional<LoginSession::Type> session{};
  std::string sandbox{};  // `*` in it
  std::optional<AgentKind> agent{};
  Purpose purpose = Purpose::kExportedAuthenticator;  // of any other the origin counts for nothing

  bool final = false;           // no other rule makes the decision looser
  bool trusted_origin = false;  // the program is believed which origin it talks to
  OncePer once_per{};           // of kAsk

  // "FILE:LINE", as far as they are known.
  std::string Where() const {
    return line == 0 ? source.native() : source.native() + ":" + std::to_string(line);
  }
  bool names_identity() const { return identity != "*"; }
};

// Is one decision stricter than another? allow, ask once in some hours (the fewer, the stricter),
// per session, per connection, ask each time, deny.
bool IsStricter(const Rule& one, const Rule& other);

// Do they hold for the same requests?
bool SameConditions(const Rule& one, const Rule& other);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_POLICY_RULE_H_
