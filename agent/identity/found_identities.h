// Identities that nobody enrolled here: keys and certificates that a token holds already.
#ifndef SIGNET_AGENT_IDENTITY_FOUND_IDENTITIES_H_
#define SIGNET_AGENT_IDENTITY_FOUND_IDENTITIES_H_

#include <string>
#include <vector>

#include "agent/identity/identity.h"
#include "agent/identity/key_source.h"

namespace signet::agent {

// An identity for each key, none for a key that is in `stored` or came up before, whatever it
// is called. Its name is BACKEND.LABEL with what names can't hold made '-'; the beginning of the
// public key's SHA-256 stands for an empty label, and follows one that another has too or that is
// the name of a stored identity. So a name depends neither on the order of the keys nor on the time
// they come up. A chain that does not parse, or is for another key, is left out.
std::vector<Identity> FoundIdentities(const std::vector<FoundKey>& keys,
                                      const std::vector<Identity>& stored);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_IDENTITY_FOUND_IDENTITIES_H_
