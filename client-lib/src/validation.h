// RFC 9261 section 7.4, "validate", without the trust in the chain, which is the caller's.
// Authenticators that answer a request, and those of a server that nobody asked for.
#ifndef SIGNET_CLIENT_LIB_SRC_VALIDATION_H_
#define SIGNET_CLIENT_LIB_SRC_VALIDATION_H_

#include <signet/connection.h>

#include <vector>

#include "client-lib/src/tls_connection.h"
#include "ipc/wire/bytes.h"
#include "ipc/wire/certificate_request.h"
#include "ipc/wire/client_hello.h"

namespace signet {

struct Validation {
  signet_result result = SIGNET_RESULT_INVALID;
  std::vector<wire::BytesView> chain;  // IDENTITY: leaf first; views into the authenticator
  wire::SignatureScheme scheme{};      // IDENTITY
  wire::BytesView context;             // IDENTITY: certificate_request_context; the same
  const char* detail = "";             // INVALID: which rule was broken; static storage
};

// Does the authenticator answer this request on this connection? `tls` must be usable for
// kValidate. Throws TlsError.
Validation Validate(const TlsConnection& tls, const AuthenticatorKeys& keys,
                    const wire::CertificateRequest& request, wire::BytesView authenticator);

// The same for one that a server sends unasked: its extensions and scheme are held against our
// ClientHello, its context is any. An empty one is invalid: there is nothing to decline.
Validation ValidateUnasked(const TlsConnection& tls, const AuthenticatorKeys& keys,
                           const wire::ClientHello& client_hello, wire::BytesView authenticator);

// What a Certificate message and a CertificateVerify message must be to answer `request`, apart
// from signature and MAC: context echoed, at least one certificate, only requested extensions, a
// TLS 1.3 scheme of signature_algorithms (checklist rows 33, 39, 41, 43, 61). nullptr when they
// are, else the rule that is broken. Outputs are set on success only.
const char* FindMismatch(const wire::CertificateRequest& request, wire::BytesView certificate,
                         wire::BytesView certificate_verify, wire::CertificateMessage& chain,
                         wire::CertificateVerifyMessage& proof);

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_VALIDATION_H_
