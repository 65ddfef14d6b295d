// Is this a TLS 1.3 signature by that key (RFC 8446 section 4.2.3)? Asked of every signature before
// it leaves the agent: a token that signs wrongly must not be found out by the server.
#ifndef SIGNET_AGENT_IDENTITY_SIGNATURE_CHECK_H_
#define SIGNET_AGENT_IDENTITY_SIGNATURE_CHECK_H_

#include <openssl/evp.h>

#include <memory>

#include "agent/identity/key_source.h"
#include "ipc/wire/bytes.h"
#include "ipc/wire/signature_scheme.h"

namespace signet::agent {

// Also false when the scheme is not one for this kind of key (another curve, RSA against RSA-PSS).
bool IsSignature(EVP_PKEY& key, wire::SignatureScheme scheme, wire::BytesView message,
                 wire::BytesView signature);

// The same for a Signer. Without a key nothing is a signature.
SignatureCheck CheckWith(std::shared_ptr<EVP_PKEY> key, wire::SignatureScheme scheme);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_IDENTITY_SIGNATURE_CHECK_H_
