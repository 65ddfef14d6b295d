// TLS 1.3 inside QUIC, by GnuTLS: keys and certificates, and the sessions made with them.
#ifndef SIGNET_CLIENT_LIB_TOOLS_QUIC_TLS_H_
#define SIGNET_CLIENT_LIB_TOOLS_QUIC_TLS_H_

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <memory>
#include <string>
#include <type_traits>

namespace signet::tools {

struct GnutlsDelete {
  void operator()(gnutls_session_t session) const { gnutls_deinit(session); }
  void operator()(gnutls_certificate_credentials_t credentials) const {
    gnutls_certificate_free_credentials(credentials);
  }
};
using GnutlsSession = std::unique_ptr<std::remove_pointer_t<gnutls_session_t>, GnutlsDelete>;
using GnutlsCredentials =
    std::unique_ptr<std::remove_pointer_t<gnutls_certificate_credentials_t>, GnutlsDelete>;

// Whom a client trusts; an empty file name = the system's store. Null, with a reason in `error`,
// when the file is not usable.
GnutlsCredentials NewQuicClientCredentials(const std::string& ca_file, std::string& error);
// Of a server; PEM, leaf first.
GnutlsCredentials NewQuicServerCredentials(const std::string& certificate_file,
                                           const std::string& key_file, std::string& error);
// What this side shows in the handshake. False, with a reason in `error`, when a file is not
// usable.
bool UseCertificate(gnutls_certificate_credentials_t credentials,
                    const std::string& certificate_file, const std::string& key_file,
                    std::string& error);

// Null when memory ran out. What is given, the name too, outlives the session. No early data:
// nothing of ours is for it.
GnutlsSession NewQuicClientSession(gnutls_certificate_credentials_t credentials,
                                   const std::string& host, ngtcp2_crypto_conn_ref* connection);
GnutlsSession NewQuicServerSession(gnutls_certificate_credentials_t credentials,
                                   ngtcp2_crypto_conn_ref* connection);

// Why the peer's certificate was not accepted; empty when that was not it.
std::string CertificateFault(gnutls_session_t session);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_QUIC_TLS_H_
