// The ClientHello of a connection until libsignet has it, for either TLS library.
#ifndef SIGNET_CLIENT_LIB_TOOLS_KEPT_CLIENT_HELLO_H_
#define SIGNET_CLIENT_LIB_TOOLS_KEPT_CLIENT_HELLO_H_

#include <signet/gnutls.h>
#include <signet/openssl.h>

namespace signet::tools {

// Made before the handshake; ends before the connection does.
class KeptClientHello {
 public:
  explicit KeptClientHello(SSL* ssl) : ssl_(ssl) { signet_openssl_keep_client_hello(ssl, &hello_); }
  explicit KeptClientHello(gnutls_session_t tls) : tls_(tls) {
    // Without memory there is none.
    static_cast<void>(signet_gnutls_keep_client_hello(tls, &hello_));
  }
  ~KeptClientHello() {
    if (ssl_ != nullptr) signet_openssl_forget_client_hello(ssl_, &hello_);
    if (tls_ != nullptr) signet_gnutls_forget_client_hello(tls_, &hello_);
  }
  KeptClientHello(const KeptClientHello&) = delete;
  KeptClientHello& operator=(const KeptClientHello&) = delete;

  signet_bytes bytes() const { return hello_; }

 private:
  SSL* const ssl_ = nullptr;
  const gnutls_session_t tls_ = nullptr;
  signet_bytes hello_{};
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_KEPT_CLIENT_HELLO_H_
