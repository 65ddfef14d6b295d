// What is told of tokens and identities to everybody on a bus: values to compare with what was told
// before.
#ifndef SIGNET_AGENT_BUS_PUBLISHED_H_
#define SIGNET_AGENT_BUS_PUBLISHED_H_

#include <map>
#include <string>
#include <vector>

#include "agent/backends/backend_status.h"
#include "agent/identity/identity.h"
#include "agent/policy/rule.h"

namespace signet::agent {

// org.signet.Agent1.Token
struct PublishedToken {
  std::string name;
  std::string type;
  std::string state;  // "starting", "ready", "locked", "failed"
  std::string label;  // often its holder's name, so empty on the system bus
  bool hardware = false;

  friend bool operator==(const PublishedToken&, const PublishedToken&) = default;
};

// org.signet.Agent1.Identity
struct PublishedIdentity {
  std::string name;
  std::string kind;
  std::string algorithm;
  std::string token;  // the backend's name
  std::string subject;
  std::string issuer;
  std::string not_after;  // RFC 3339; empty without a certificate, as both above
  // While the certificate changes, else empty.
  std::string next_not_after;
  std::string previous_not_after;
  bool hardware = false;

  friend bool operator==(const PublishedIdentity&, const PublishedIdentity&) = default;
};

// By object path.
using PublishedTokens = std::map<std::string, PublishedToken>;
using PublishedIdentities = std::map<std::string, PublishedIdentity>;

inline constexpr char kAgentPath[] = "/org/signet/Agent1";
inline constexpr char kTokensPath[] = "/org/signet/Agent1/tokens";
inline constexpr char kIdentitiesPath[] = "/org/signet/Agent1/identities";

// Everybody on the system bus sees all: there only what says nothing of a person, so identities of
// the machine alone.
PublishedTokens Publish(const std::vector<BackendStatus>& tokens, AgentKind agent);
PublishedIdentities Publish(const Identities& identities, AgentKind agent);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_BUS_PUBLISHED_H_
