// An identity's key and certificates as OpenSSL uses them: the key is a reference into the agent,
// by the provider signet.so.
#ifndef SIGNET_AGENT_OAUTH_CREDENTIAL_H_
#define SIGNET_AGENT_OAUTH_CREDENTIAL_H_

#include <openssl/provider.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/identity/openssl.h"

namespace signet::oauth {

struct ProviderUnload {
  void operator()(OSSL_PROVIDER* provider) const { OSSL_PROVIDER_unload(provider); }
};

// While it lives, OpenSSL of this process knows the keys of the agent, beside its own.
struct Providers {
  std::unique_ptr<OSSL_PROVIDER, ProviderUnload> own, signet;
};

struct Credential {
  Providers providers;  // of the key, if it needs any; they go after it
  agent::OpenSslPtr<EVP_PKEY> key;
  std::vector<agent::OpenSslPtr<X509>> chain;  // leaf first, at least one

  std::string thumbprint() const;  // x5t#S256 of the leaf
};

// Before the others.
absl::StatusOr<Providers> LoadProviders();

// What an OSSL_STORE has under `uri`, signet://NAME for an identity. Fails for a certificate that
// is not valid now, which no server would take, and where there is no key or no certificate.
absl::StatusOr<Credential> LoadCredential(const std::string& uri);

// What OpenSSL's error queue says to a person, and empties it: the provider's own words where there
// are some.
std::string TakeOpenSslFailure();

}  // namespace signet::oauth

#endif  // SIGNET_AGENT_OAUTH_CREDENTIAL_H_
