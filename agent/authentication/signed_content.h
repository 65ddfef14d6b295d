// What a caller wants signed, read: the agent is no oracle that signs whatever it is given.
#ifndef SIGNET_AGENT_AUTHENTICATION_SIGNED_CONTENT_H_
#define SIGNET_AGENT_AUTHENTICATION_SIGNED_CONTENT_H_

#include <optional>
#include <string>

#include "agent/policy/purpose.h"
#include "ipc/wire/bytes.h"

namespace signet::agent {

// A value.
struct SignedContent {
  std::optional<Purpose> purpose;  // nothing: none that may sign what a caller wrote
  wire::Bytes public_key{};        // of a csr: SubjectPublicKeyInfo that it is for
  std::string why_none{};          // for a person, with the next step
};

// Recognises all of `content` or none:
//   tls-client  64 spaces, "TLS 1.3, client CertificateVerify", zero, a transcript hash of 32 or 48
//               bytes (RFC 8446 section 4.4.3). The hash itself is opaque.
//   server      the same with "Exported Authenticator" (RFC 9261 section 5.2.2). A client's
//               authenticator looks the same, so that only an identity of kind server may sign
//               it.
//   csr         the DER of a CertificationRequestInfo (RFC 2986 section 4.1)
SignedContent ReadSignedContent(wire::BytesView content);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_AUTHENTICATION_SIGNED_CONTENT_H_
