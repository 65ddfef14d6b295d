#include "tests/support/gnutls_pair.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "tests/support/test_ca.h"

namespace signet::test {
namespace {

void Require(int result, const char* what) {
  if (result < 0) throw std::runtime_error(std::string(what) + ": " + gnutls_strerror(result));
}

gnutls_datum_t Datum(const std::string& text) {
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())),
          static_cast<unsigned>(text.size())};
}

}  // namespace

GnutlsServer::GnutlsServer() {
  const TestKey key = TestKey::Generate(TestKeyType::kP256);
  const std::string certificate = ToPem({SelfSigned(key, {.common_name = "localhost"})});
  const std::string private_key = key.private_pem();
  const gnutls_datum_t certificate_datum = Datum(certificate);
  const gnutls_datum_t key_datum = Datum(private_key);
  Require(gnutls_certificate_allocate_credentials(&own), "credentials");
  Require(gnutls_certificate_allocate_credentials(&none), "credentials");
  Require(
      gnutls_certificate_set_x509_key_mem(own, &certificate_datum, &key_datum, GNUTLS_X509_FMT_PEM),
      "certificate");
  Require(gnutls_session_ticket_key_generate(&ticket_key), "ticket key");
}

GnutlsServer::~GnutlsServer() {
  gnutls_certificate_free_credentials(own);
  gnutls_certificate_free_credentials(none);
  gnutls_free(ticket_key.data);
}

GnutlsPair::GnutlsPair(const GnutlsServer& server, const std::string& priority,
                       unsigned client_flags, unsigned server_flags) {
  Open(client_, server_, GNUTLS_CLIENT | client_flags, priority);
  Open(server_, client_, GNUTLS_SERVER | server_flags, priority);
  gnutls_credentials_set(client(), GNUTLS_CRD_CERTIFICATE, server.none);
  gnutls_credentials_set(this->server(), GNUTLS_CRD_CERTIFICATE, server.own);
  Require(gnutls_session_ticket_enable_server(this->server(), &server.ticket_key), "tickets");
  gnutls_session_set_ptr(this->server(), this);
  gnutls_session_set_keylog_function(this->server(), NoteSecret);
}

GnutlsPair::~GnutlsPair() {
  gnutls_deinit(client());
  gnutls_deinit(server());
}

GnutlsPair& GnutlsPair::Shake() {
  int client_result = GNUTLS_E_AGAIN, server_result = GNUTLS_E_AGAIN;
  for (int i = 0; i < 10 && (client_result != 0 || server_result != 0); ++i) {
    if (client_result != 0) client_result = gnutls_handshake(client());
    if (server_result != 0) server_result = gnutls_handshake(server());
  }
  Require(client_result, "client's handshake");
  Require(server_result, "server's handshake");
  return *this;
}

void GnutlsPair::Open(End& end, End& peer, unsigned flags, const std::string& priority) {
  Require(gnutls_init(&end.tls, flags | GNUTLS_NONBLOCK), "session");
  end.peer = &peer;
  Require(gnutls_priority_set_direct(end.tls, priority.c_str(), nullptr), "priorities");
  gnutls_transport_set_ptr(end.tls, &end);
  gnutls_transport_set_push_function(end.tls, Push);
  gnutls_transport_set_pull_function(end.tls, Pull);
}

ssize_t GnutlsPair::Push(gnutls_transport_ptr_t end, const void* data, size_t size) {
  static_cast<End*>(end)->peer->arrived.append(static_cast<const char*>(data), size);
  return static_cast<ssize_t>(size);
}

ssize_t GnutlsPair::Pull(gnutls_transport_ptr_t transport, void* data, size_t size) {
  End& end = *static_cast<End*>(transport);
  size = std::min(size, end.arrived.size());
  if (size == 0) {
    gnutls_transport_set_errno(end.tls, EAGAIN);
    return -1;
  }
  memcpy(data, end.arrived.data(), size);
  end.arrived.erase(0, size);
  return static_cast<ssize_t>(size);
}

int GnutlsPair::NoteSecret(gnutls_session_t tls, const char* label, const gnutls_datum_t* secret) {
  auto& self = *static_cast<GnutlsPair*>(gnutls_session_get_ptr(tls));
  self.secrets[label].assign(secret->data, secret->data + secret->size);
  return 0;
}

}  // namespace signet::test
