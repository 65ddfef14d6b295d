#include "client-lib/tools/quic_tls.h"

#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include "client-lib/tools/endpoint.h"

namespace signet::tools {
namespace {

// What QUIC has (RFC 9001 section 5.3), and no compatibility with middleboxes (section 8.4).
constexpr char kPriority[] =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"
    "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:%DISABLE_TLS13_COMPAT_MODE";

GnutlsCredentials NewCredentials() {
  gnutls_certificate_credentials_t credentials = nullptr;
  gnutls_certificate_allocate_credentials(&credentials);
  return GnutlsCredentials(credentials);
}

GnutlsSession NewSession(unsigned flags, gnutls_certificate_credentials_t credentials,
                         ngtcp2_crypto_conn_ref* connection) {
  gnutls_session_t raw = nullptr;
  if (gnutls_init(&raw, flags) != 0) return nullptr;
  GnutlsSession session(raw);
  unsigned char name[] = "h3";
  const gnutls_datum_t alpn{name, 2};
  const bool client = (flags & GNUTLS_CLIENT) != 0;
  const bool ready = gnutls_priority_set_direct(raw, kPriority, nullptr) == 0 &&
                     (client ? ngtcp2_crypto_gnutls_configure_client_session(raw)
                             : ngtcp2_crypto_gnutls_configure_server_session(raw)) == 0 &&
                     gnutls_credentials_set(raw, GNUTLS_CRD_CERTIFICATE, credentials) == 0 &&
                     gnutls_alpn_set_protocols(raw, &alpn, 1, GNUTLS_ALPN_MANDATORY) == 0;
  gnutls_session_set_ptr(raw, connection);
  return ready ? std::move(session) : nullptr;
}

}  // namespace

GnutlsCredentials NewQuicClientCredentials(const std::string& ca_file, std::string& error) {
  GnutlsCredentials credentials = NewCredentials();
  const int loaded = ca_file.empty() ? gnutls_certificate_set_x509_system_trust(credentials.get())
                                     : gnutls_certificate_set_x509_trust_file(
                                           credentials.get(), ca_file.c_str(), GNUTLS_X509_FMT_PEM);
  if (loaded > 0 || (ca_file.empty() && loaded == 0)) return credentials;
  error = "server certificates: load " + (ca_file.empty() ? "the system's store" : ca_file) + ": " +
          (loaded == 0 ? "no certificate in it" : gnutls_strerror(loaded)) +
          "; give a PEM file with --cacert";
  return nullptr;
}

GnutlsCredentials NewQuicServerCredentials(const std::string& certificate_file,
                                           const std::string& key_file, std::string& error) {
  GnutlsCredentials credentials = NewCredentials();
  if (!UseCertificate(credentials.get(), certificate_file, key_file, error)) return nullptr;
  return credentials;
}

bool UseCertificate(gnutls_certificate_credentials_t credentials,
                    const std::string& certificate_file, const std::string& key_file,
                    std::string& error) {
  const int loaded = gnutls_certificate_set_x509_key_file(credentials, certificate_file.c_str(),
                                                          key_file.c_str(), GNUTLS_X509_FMT_PEM);
  if (loaded >= 0) return true;
  error = "--cert " + certificate_file + ", --key " + key_file +
          ", for HTTP/3: " + gnutls_strerror(loaded) +
          "; give a PEM chain, leaf first, and its key";
  return false;
}

GnutlsSession NewQuicClientSession(gnutls_certificate_credentials_t credentials,
                                   const std::string& host, ngtcp2_crypto_conn_ref* connection) {
  GnutlsSession session =
      NewSession(GNUTLS_CLIENT | GNUTLS_NO_END_OF_EARLY_DATA, credentials, connection);
  if (session == nullptr) return nullptr;
  if (!IsAddress(host)) {
    gnutls_server_name_set(session.get(), GNUTLS_NAME_DNS, host.data(), host.size());
  }
  // GnuTLS takes an address for what it is.
  gnutls_session_set_verify_cert(session.get(), host.c_str(), 0);
  return session;
}

GnutlsSession NewQuicServerSession(gnutls_certificate_credentials_t credentials,
                                   ngtcp2_crypto_conn_ref* connection) {
  return NewSession(GNUTLS_SERVER | GNUTLS_NO_END_OF_EARLY_DATA, credentials, connection);
}

std::string CertificateFault(gnutls_session_t session) {
  const unsigned status = gnutls_session_get_verify_cert_status(session);
  if (status == 0 || status == static_cast<unsigned>(-1)) return "";
  gnutls_datum_t text{};
  if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) != 0) {
    return "the certificate is not trusted";
  }
  std::string fault(reinterpret_cast<const char*>(text.data), text.size);
  gnutls_free(text.data);
  while (!fault.empty() && (fault.back() == ' ' || fault.back() == '\0')) fault.pop_back();
  return fault;
}

}  // namespace signet::tools
