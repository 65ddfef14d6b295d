// An identity's key and certificates as OpenSSL uses them: the key is a reference into the agent,
// by the provider signet.so.
#ifndef SIGNET_AGENT_OAUTH_CREDENTIAL_H_
#define SIGNET_AGENT_OAUTH_CREDENTIAL_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/identity/openssl.h"

namespace signet::oauth {

struct Credential {
  agent::OpenSslPtr<EVP_PKEY> key;
  std::vector<agent::OpenSslPtr<X509>> chain;  // leaf first, at least one

  std::string thumbprint() const;  // x5t#S256 of the leaf
};

// Makes OpenSSL of this process know the keys of the agent, beside its own. Once, before the
// others.
absl::Status LoadProvider();

// What an OSSL_STORE has under `uri`, signet:NAME for an identity. Fails for a certificate that is
// not valid now, which no server would take, and where there is no key or no certificate.
absl::StatusOr<Credential> LoadCredential(const std::string& uri);

// What OpenSSL's error queue says to a person, and empties it: the provider's own words where there
// are some.
std::string TakeOpenSslFailure();

}  // namespace signet::oauth

#endif  // SIGNET_AGENT_OAUTH_CREDENTIAL_H_
