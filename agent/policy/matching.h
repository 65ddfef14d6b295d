// Does a rule hold for a request? A fact that is not known makes the answer unknown, and such a
// rule may make the decision stricter, never looser: whoever can hide a fact gains nothing.
#ifndef SIGNET_AGENT_POLICY_MATCHING_H_
#define SIGNET_AGENT_POLICY_MATCHING_H_

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "agent/identity/certificate_facts.h"
#include "agent/identity/identity.h"
#include "agent/policy/caller.h"
#include "agent/policy/purpose.h"
#include "agent/policy/rule.h"

namespace signet::agent {

enum class Match : uint8_t { kNo, kUnknown, kYes };

// What rules ask of an identity. Borrows everything.
struct IdentityFacts {
  std::string_view name{};
  std::optional<IdentityKind> kind{};  // nothing: there is no such identity
  const ChainFacts* chain = nullptr;   // null: no certificate, so issuer and usage are unknown
};
inline IdentityFacts FactsForRules(const Identity& identity) {
  return {identity.name, identity.kind, identity.facts.get()};
}

// Who asks, as rules see it; looks up each program of a rule once. Borrows the caller, and the
// rules' texts.
class Asking {
 public:
  Asking(const Caller& caller, AgentKind agent) : caller_(caller), agent_(agent) {}

  const Caller& caller() const { return caller_; }
  AgentKind agent() const { return agent_; }
  // Is the caller's the file that the path leads to now? So a package update needs no new rule.
  Match MatchesProgram(const std::string& path) const;

 private:
  const Caller& caller_;
  const AgentKind agent_;
  mutable std::unordered_map<std::string_view, bool> programs_;
};

// The conditions on who asks; those on what for; those on the identity.
Match MatchesCaller(const Rule& rule, const Asking& asking);
bool MatchesUse(const Rule& rule, const Use& use);
Match MatchesIdentity(const Rule& rule, const IdentityFacts& identity);

// For a person: "program is not /usr/bin/curl", "unit is not known"; empty for a rule that matches.
std::string WhyNot(const Rule& rule, const Asking& asking, const Use& use,
                   const IdentityFacts& identity);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_POLICY_MATCHING_H_
