#include "agent/bus/published.h"

#include <stdlib.h>
#include <systemd/sd-bus.h>

#include <memory>
#include <utility>

#include "agent/identity/certificate_facts.h"
#include "agent/identity/selection.h"
#include "agent/printable/printable.h"

namespace signet::agent {
namespace {

struct Free {
  void operator()(char* text) const { free(text); }
};

// A name has characters that a path can't have.
std::string PathOf(const char* folder, const std::string& name) {
  char* path = nullptr;
  if (sd_bus_path_encode(folder, name.c_str(), &path) < 0) return {};  // out of memory
  return std::unique_ptr<char, Free>(path).get();
}

const char* NameOf(BackendState state) {
  switch (state) {
    case BackendState::kStarting:
      return "starting";
    case BackendState::kReady:
      return "ready";
    case BackendState::kLocked:
      return "locked";
    case BackendState::kFailed:
      return "failed";
  }
  return "failed";
}

}  // namespace

PublishedTokens Publish(const std::vector<BackendStatus>& tokens, AgentKind agent) {
  PublishedTokens published;
  for (const BackendStatus& token : tokens) {
    published.emplace(
        PathOf(kTokensPath, token.name),
        PublishedToken{token.name, token.type, NameOf(token.state),
                       agent == AgentKind::kUser ? Printable(token.token) : "", token.hardware});
  }
  return published;
}

PublishedIdentities Publish(const Identities& identities, AgentKind agent) {
  PublishedIdentities published;
  for (const Identity& identity : identities) {
    if (agent == AgentKind::kSystem && identity.kind != IdentityKind::kDevice) continue;
    PublishedIdentity one{identity.name,
                          std::string(Name(identity.kind)),
                          identity.algorithm,
                          identity.key.backend,
                          {},
                          {},
                          {},
                          {},
                          {},
                          identity.hardware};
    if (const auto facts = FactsOf(identity)) {
      one.subject = Printable(facts->summary.subject);
      one.issuer = Printable(facts->summary.issuer);
      one.not_after = facts->summary.not_after;
    }
    if (identity.next != nullptr) one.next_not_after = Summarize(*identity.next).not_after;
    if (identity.previous != nullptr) {
      one.previous_not_after = Summarize(*identity.previous).not_after;
    }
    published.emplace(PathOf(kIdentitiesPath, identity.name), std::move(one));
  }
  return published;
}

}  // namespace signet::agent
