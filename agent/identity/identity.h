// What the agent can prove: a key in a backend and, once imported, a certificate chain for it.
#ifndef SIGNET_AGENT_IDENTITY_IDENTITY_H_
#define SIGNET_AGENT_IDENTITY_IDENTITY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipc/wire/bytes.h"
#include "ipc/wire/signature_scheme.h"

namespace signet::agent {

enum class IdentityKind : uint8_t { kDevice, kUser, kServer };
std::string_view Name(IdentityKind kind);  // "device", "user", "server"
std::optional<IdentityKind> ParseIdentityKind(std::string_view name);

// 1..64 characters of [A-Za-z0-9._-], the first neither a dot nor a dash: safe as a folder's
// name, in a URL, in a shell and on a command line.
bool IsIdentityName(std::string_view name);

struct ChainFacts;  // certificate_facts.h

// Where a key is: enough for a Signer to find it. The reference is opaque to the core.
struct KeyReference {
  std::string backend;
  wire::Bytes reference;
};

// A value.
struct Identity {
  std::string name;
  IdentityKind kind = IdentityKind::kUser;
  std::string algorithm;  // "p256", ...
  bool hardware = false;
  KeyReference key;
  wire::Bytes public_key;                      // SubjectPublicKeyInfo, DER
  std::vector<wire::SignatureScheme> schemes;  // the key's, in its own order
  std::vector<wire::Bytes> chain;              // DER, leaf first; empty until imported
  // What the chain says, parsed once by whoever set it (the store does); shared because snapshots
  // copy identities. Null: not parsed yet, see FactsOf().
  std::shared_ptr<const ChainFacts> facts;
  // While the certificate changes (docs/renewal.md), the same identity with the one that is to be
  // current next, and with the one that was before and is of use until it is retired. These have
  // neither themselves. Shared because snapshots copy identities.
  std::shared_ptr<const Identity> next;
  std::shared_ptr<const Identity> previous;
  bool found = false;  // on a token, by the token's own account; not enrolled here, not stored
  // Another agent's, which alone can use it: nothing of it is here but the chain.
  bool upstream = false;
  std::string unusable;  // why that agent can't use it now, in its words; empty for all others
};

// The same identity with another certificate; null for a chain that does not parse or is for
// another key.
std::shared_ptr<const Identity> WithChain(const Identity& identity,
                                          const std::vector<wire::Bytes>& chain);

// Of the store: immutable once published, so that the loop reads without a lock held.
using Identities = std::vector<Identity>;

}  // namespace signet::agent

#endif  // SIGNET_AGENT_IDENTITY_IDENTITY_H_
