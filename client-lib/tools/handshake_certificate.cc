#include "client-lib/tools/handshake_certificate.h"

#include <openssl/x509.h>

#include "client-lib/tools/access_token.h"

namespace signet::tools {
namespace {

int AcceptAny(X509_STORE_CTX*, void*) { return 1; }

}  // namespace

void RequestHandshakeCertificate(SSL_CTX* context) {
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, AcceptAny, nullptr);
  SSL_CTX_set_num_tickets(context, 0);
}

void RequestHandshakeCertificate(gnutls_session_t session) {
  gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
}

std::string HandshakeThumbprint(const SSL* ssl) {
  const X509* certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr) return "";
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size <= 0) return "";
  std::string thumbprint = CertificateThumbprint({der, static_cast<size_t>(size)});
  OPENSSL_free(der);
  return thumbprint;
}

std::string HandshakeThumbprint(gnutls_session_t session) {
  unsigned count = 0;
  const gnutls_datum_t* chain = gnutls_certificate_get_peers(session, &count);
  if (chain == nullptr || count == 0) return "";
  return CertificateThumbprint({chain[0].data, chain[0].size});
}

}  // namespace signet::tools
