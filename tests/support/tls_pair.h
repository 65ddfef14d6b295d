// A TLS client and server of OpenSSL in one process, their handshake done. Failures throw
// std::runtime_error. Not for production code.
#ifndef SIGNET_TESTS_SUPPORT_TLS_PAIR_H_
#define SIGNET_TESTS_SUPPORT_TLS_PAIR_H_

#include <openssl/ssl.h>

#include <memory>

namespace signet::test {

enum class Handshake { kComplete, kNotStarted };

// What the connections between one client and one server have in common: a later one may resume an
// earlier one's session.
struct TlsContexts {
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  // `suite` is a TLS 1.3 cipher suite; the other version is TLS1_2_VERSION.
  explicit TlsContexts(const char* suite, int version = TLS1_3_VERSION);

  std::unique_ptr<SSL_CTX, Free> client;
  std::unique_ptr<SSL_CTX, Free> server;
};

class TlsPair {
 public:
  explicit TlsPair(const TlsContexts& contexts, Handshake handshake = Handshake::kComplete);
  explicit TlsPair(const char* suite = "TLS_AES_128_GCM_SHA256", int version = TLS1_3_VERSION,
                   Handshake handshake = Handshake::kComplete);

  SSL* client() const { return client_.get(); }
  SSL* server() const { return server_.get(); }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  std::unique_ptr<SSL, Free> client_;
  std::unique_ptr<SSL, Free> server_;
};

}  // namespace signet::test

#endif  // SIGNET_TESTS_SUPPORT_TLS_PAIR_H_
