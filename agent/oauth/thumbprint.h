// The name by which OAuth binds things to a certificate (RFC 8705 section 3.1). Pure; any thread.
#ifndef SIGNET_AGENT_OAUTH_THUMBPRINT_H_
#define SIGNET_AGENT_OAUTH_THUMBPRINT_H_

#include <string>

#include "ipc/wire/bytes.h"

namespace signet::oauth {

// x5t#S256: base64url, without padding, of the SHA-256 of the certificate's DER.
std::string Thumbprint(wire::BytesView certificate);

}  // namespace signet::oauth

#endif  // SIGNET_AGENT_OAUTH_THUMBPRINT_H_
