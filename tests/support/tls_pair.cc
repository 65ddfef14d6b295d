#include "tests/support/tls_pair.h"

#include <openssl/bio.h>

#include <stdexcept>

#include "tests/support/test_ca.h"

namespace signet::test {
namespace {

using Context = std::unique_ptr<SSL_CTX, TlsContexts::Free>;

void Require(bool done, const char* what) {
  if (!done) throw std::runtime_error(what);
}

Context NewContext(const SSL_METHOD* method, const char* suite, int version) {
  Context context(SSL_CTX_new(method));
  Require(context && SSL_CTX_set_min_proto_version(context.get(), version) &&
              SSL_CTX_set_max_proto_version(context.get(), version) &&
              SSL_CTX_set_ciphersuites(context.get(), suite),
          "TLS context");
  return context;
}

void UseOwnCertificate(SSL_CTX* context) {
  const TestKey key = TestKey::Generate(TestKeyType::kP256);
  const Der certificate = SelfSigned(key, {.common_name = "localhost"});
  Require(SSL_CTX_use_certificate_ASN1(context, static_cast<int>(certificate.size()),
                                       certificate.data()) == 1 &&
              SSL_CTX_use_PrivateKey(context, key.get()) == 1,
          "TLS server certificate");
}

void Shake(SSL* client, SSL* server) {
  for (int i = 0; i < 10; ++i) {
    SSL_do_handshake(client);
    SSL_do_handshake(server);
    if (SSL_is_init_finished(client) && SSL_is_init_finished(server)) return;
  }
  throw std::runtime_error("TLS handshake");
}

}  // namespace

TlsContexts::TlsContexts(const char* suite, int version)
    : client(NewContext(TLS_client_method(), suite, version)),
      server(NewContext(TLS_server_method(), suite, version)) {
  UseOwnCertificate(server.get());
}

TlsPair::TlsPair(const char* suite, int version, Handshake handshake)
    : TlsPair(TlsContexts(suite, version), handshake) {}

TlsPair::TlsPair(const TlsContexts& contexts, Handshake handshake) {
  client_.reset(SSL_new(contexts.client.get()));
  server_.reset(SSL_new(contexts.server.get()));
  BIO* client_end = nullptr;
  BIO* server_end = nullptr;
  Require(client_ && server_ && BIO_new_bio_pair(&client_end, 0, &server_end, 0) == 1,
          "TLS connection");
  SSL_set_bio(client_.get(), client_end, client_end);
  SSL_set_bio(server_.get(), server_end, server_end);
  SSL_set_connect_state(client_.get());
  SSL_set_accept_state(server_.get());
  if (handshake == Handshake::kComplete) Shake(client_.get(), server_.get());
}

}  // namespace signet::test
