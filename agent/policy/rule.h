// One rule of the policy.
#ifndef SIGNET_AGENT_POLICY_RULE_H_
#define SIGNET_AGENT_POLICY_RULE_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "agent/policy/origin.h"

namespace signet::agent {

enum class Verdict : uint8_t { kAllow, kDeny, kAsk };
std::string_view Name(Verdict verdict);  // "allow", "deny", "ask"
std::optional<Verdict> ParseVerdict(std::string_view name);

// A value. Matches when origin, identity and program all do.
struct Rule {
  OriginPattern origin;
  std::string identity;  // a name, or "*", which admits but does not *name* an identity
  std::string program;   // absolute path in the agent's mount namespace; empty = any
  Verdict decision = Verdict::kDeny;
  std::filesystem::path source;  // the file it stands in
  uint32_t line = 0;             // where it begins there; 0: it was not read from the file

  // "FILE:LINE", as far as they are known.
  std::string Where() const {
    return line == 0 ? source.native() : source.native() + ":" + std::to_string(line);
  }
  bool names_identity() const { return identity != "*"; }
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_POLICY_RULE_H_
