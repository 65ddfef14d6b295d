// The client's certificate of the TLS handshake itself, for tokens that are bound to it (RFC 8705
// section 3). Any certificate will do: TLS has proved that the client holds its key, and the token
// says which one it is to be (section 2.2 lets clients sign their own).
#ifndef SIGNET_CLIENT_LIB_TOOLS_HANDSHAKE_CERTIFICATE_H_
#define SIGNET_CLIENT_LIB_TOOLS_HANDSHAKE_CERTIFICATE_H_

#include <gnutls/gnutls.h>
#include <openssl/ssl.h>

#include <string>

namespace signet::tools {

// Asks every client for one, before its handshake; who has none goes on without. Sessions are not
// resumed then: a certificate counts for the connection that it was shown on.
void RequestHandshakeCertificate(SSL_CTX* context);
void RequestHandshakeCertificate(gnutls_session_t session);

// CertificateThumbprint() of what the client showed, after the handshake; empty = nothing.
std::string HandshakeThumbprint(const SSL* ssl);
std::string HandshakeThumbprint(gnutls_session_t session);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_HANDSHAKE_CERTIFICATE_H_
