// TLS 1.3 over a non-blocking socket: one wrapper for OpenSSL, used by client and server alike.
#ifndef SIGNET_CLIENT_LIB_TOOLS_TLS_STREAM_H_
#define SIGNET_CLIENT_LIB_TOOLS_TLS_STREAM_H_

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "client-lib/tools/byte_stream.h"
#include "client-lib/tools/descriptor.h"

namespace signet::tools {

struct OpenSslDelete {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
};
using SslContext = std::unique_ptr<SSL_CTX, OpenSslDelete>;
using Ssl = std::unique_ptr<SSL, OpenSslDelete>;
using Certificate = std::unique_ptr<X509, OpenSslDelete>;
using CertificateStore = std::unique_ptr<X509_STORE, OpenSslDelete>;

// The oldest error of this thread's OpenSSL queue in words; empties the queue.
std::string TakeOpenSslError();

// TLS 1.3 only, ALPN "h2" only. A client context checks servers against `ca_file` (PEM), or the
// system's store when it is empty. Null, with a reason in `error`, when a file is not usable.
SslContext NewClientContext(const std::string& ca_file, std::string& error);
SslContext NewServerContext(const std::string& certificate_file, const std::string& key_file,
                            std::string& error);

// What this side shows in the handshake; PEM, leaf first. False, with a reason in `error`, when a
// file is not usable.
bool UseCertificate(SSL_CTX* context, const std::string& certificate_file,
                    const std::string& key_file, std::string& error);

// A client's connection to `host`, whose name or address the certificate must bear.
Ssl NewClientSsl(SSL_CTX* context, const std::string& host);

class TlsStream : public ByteStream {
 public:
  static constexpr size_t kMaxRecord = 16384;

  // Takes a non-blocking, connected socket.
  TlsStream(Descriptor socket, Ssl ssl);
  // Inside another connection; fd() is then -1.
  TlsStream(std::unique_ptr<ByteStream> carrier, Ssl ssl);

  Result Handshake();
  // One record at most, so with room for kMaxRecord nothing is left inside that poll can't see.
  Result Read(std::span<uint8_t> out, size_t& count) override;
  Result Write(std::span<const uint8_t> data, size_t& count) override;
  // Tells the peer that nothing more will come. Reading goes on.
  void CloseWrite();

  const Descriptor& socket() const { return socket_; }
  int fd() const { return socket_.get(); }
  SSL* ssl() const { return ssl_.get(); }
  // POLLIN or POLLOUT: what the call that would block waits for.
  short events() const { return events_; }
  const std::string& error() const override { return error_; }

 private:
  Result Explain(int returned);

  Descriptor socket_;
  std::unique_ptr<ByteStream> carrier_;  // null: the socket
  Ssl ssl_;
  short events_ = 0;
  bool connected_ = false;
  std::string error_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_TLS_STREAM_H_
