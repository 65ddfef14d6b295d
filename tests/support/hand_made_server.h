// The server's half of RFC 9261 by hand, on the server's end of a TLS connection with SHA-256: any
// unasked authenticator, also those that no honest server makes. Not for production code.
#ifndef SIGNET_TESTS_SUPPORT_HAND_MADE_SERVER_H_
#define SIGNET_TESTS_SUPPORT_HAND_MADE_SERVER_H_

#include <openssl/ssl.h>
#include <signet/connection.h>

#include <string>
#include <vector>

#include "ipc/wire/bytes.h"
#include "tests/support/test_ca.h"

namespace signet::test {

// A ClientHello with these extensions, all but signature_algorithms (13) empty.
wire::Bytes ClientHelloMessage(const std::vector<uint16_t>& extensions,
                               const std::vector<uint16_t>& schemes);

// A certificate and its key, of an authority of its own.
struct ServerCertificate {
  explicit ServerCertificate(const std::string& subject_alt_names,
                             TestKeyType type = TestKeyType::kP256);
  ServerCertificate(const TestCa& ca, const CertificateOptions& options,
                    TestKeyType type = TestKeyType::kP256);

  TestKey key;
  Der leaf;
  std::vector<Der> chain;
};

class HandMadeServer {
 public:
  // `sender` is the word in the exporter labels, "server" or "client".
  explicit HandMadeServer(SSL* ssl, const std::string& sender = "server");

  // A whole authenticator.
  wire::Bytes Prove(const std::string& context, const ServerCertificate& certificate,
                    uint16_t scheme = 0x0403) const;

  // Its parts. `extensions` is the block of the one entry.
  static wire::Bytes Certificate(const std::string& context, const Der& leaf,
                                 wire::BytesView extensions);
  wire::Bytes Verify(const wire::Bytes& certificate, const TestKey& key, uint16_t scheme) const;
  wire::Bytes Finished(const wire::Bytes& messages) const;
  // The three, with CertificateVerify and Finished made for what the certificate message is.
  wire::Bytes Sealed(const wire::Bytes& certificate, const TestKey& key,
                     uint16_t scheme = 0x0403) const;

 private:
  wire::Bytes Export(const std::string& label) const;
  wire::Bytes Hash(const wire::Bytes& messages) const;

  signet_tls tls_{};
  wire::Bytes handshake_context_, finished_key_;
};

wire::Bytes Joined(wire::Bytes a, const wire::Bytes& b);

}  // namespace signet::test

#endif  // SIGNET_TESTS_SUPPORT_HAND_MADE_SERVER_H_
