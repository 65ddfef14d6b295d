// A TLS client and server of GnuTLS in one process. Failures throw std::runtime_error. Not for
// production code.
#ifndef SIGNET_TESTS_SUPPORT_GNUTLS_PAIR_H_
#define SIGNET_TESTS_SUPPORT_GNUTLS_PAIR_H_

#include <gnutls/gnutls.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace signet::test {

// What the connections between one client and one server have in common: a later one may resume an
// earlier one's session.
struct GnutlsServer {
  GnutlsServer();
  ~GnutlsServer();
  GnutlsServer(const GnutlsServer&) = delete;
  GnutlsServer& operator=(const GnutlsServer&) = delete;

  gnutls_certificate_credentials_t own = nullptr;
  gnutls_certificate_credentials_t none = nullptr;  // the client's
  gnutls_datum_t ticket_key = {};
};

class GnutlsPair {
 public:
  // A priority string, and flags of gnutls_init for each end besides its role. Nothing is sent yet.
  explicit GnutlsPair(const GnutlsServer& server, const std::string& priority = "NORMAL",
                      unsigned client_flags = 0, unsigned server_flags = 0);
  ~GnutlsPair();
  GnutlsPair(const GnutlsPair&) = delete;
  GnutlsPair& operator=(const GnutlsPair&) = delete;

  // Both in turns, until both are complete.
  GnutlsPair& Shake();

  gnutls_session_t client() const { return client_.tls; }
  gnutls_session_t server() const { return server_.tls; }

  // By the names of SSLKEYLOGFILE, as the server wrote them down.
  std::map<std::string, std::vector<uint8_t>> secrets;

 private:
  struct End {
    gnutls_session_t tls = nullptr;
    End* peer = nullptr;
    std::string arrived;
  };
  static ssize_t Push(gnutls_transport_ptr_t end, const void* data, size_t size);
  static ssize_t Pull(gnutls_transport_ptr_t end, void* data, size_t size);
  static int NoteSecret(gnutls_session_t tls, const char* label, const gnutls_datum_t* secret);
  void Open(End& end, End& peer, unsigned flags, const std::string& priority);

  End client_, server_;
};

}  // namespace signet::test

#endif  // SIGNET_TESTS_SUPPORT_GNUTLS_PAIR_H_
