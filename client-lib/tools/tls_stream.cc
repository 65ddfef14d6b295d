#include "client-lib/tools/tls_stream.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "client-lib/tools/endpoint.h"
#include "client-lib/tools/stream_bio.h"

namespace signet::tools {
namespace {

constexpr std::string_view kAlpn = "\x02h2";

const unsigned char* AlpnData() { return reinterpret_cast<const unsigned char*>(kAlpn.data()); }

int SelectAlpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
               unsigned int in_size, void*) {
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_size, AlpnData(), kAlpn.size(), in, in_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

SslContext NewContext(const SSL_METHOD* method) {
  SslContext context(SSL_CTX_new(method));
  if (context == nullptr) return nullptr;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  // Nothing of a connection is kept for the next: identities end with it.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  return context;
}

}  // namespace

std::string TakeOpenSslError() {
  const char* data = nullptr;
  int flags = 0;
  unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags);
  const char* reason = code == 0 ? "unknown error" : ERR_reason_error_string(code);
  std::string text = ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
                     : reason != nullptr    ? reason
                                            : "OpenSSL error " + std::to_string(code);
  ERR_clear_error();
  return text;
}

SslContext NewClientContext(const std::string& ca_file, std::string& error) {
  SslContext context = NewContext(TLS_client_method());
  bool ready = context != nullptr &&
               SSL_CTX_set_alpn_protos(context.get(), AlpnData(), kAlpn.size()) == 0 &&
               (ca_file.empty() ? SSL_CTX_set_default_verify_paths(context.get())
                                : SSL_CTX_load_verify_file(context.get(), ca_file.c_str())) == 1;
  if (!ready) {
    error = "server certificates: load " + (ca_file.empty() ? "the system's store" : ca_file) +
            ": " + TakeOpenSslError() + "; give a PEM file with --cacert";
    return nullptr;
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return context;
}

SslContext NewServerContext(const std::string& certificate_file, const std::string& key_file,
                            std::string& error) {
  SslContext context = NewContext(TLS_server_method());
  if (context == nullptr) error = "no memory";
  if (context == nullptr || !UseCertificate(context.get(), certificate_file, key_file, error)) {
    return nullptr;
  }
  SSL_CTX_set_alpn_select_cb(context.get(), SelectAlpn, nullptr);
  return context;
}

bool UseCertificate(SSL_CTX* context, const std::string& certificate_file,
                    const std::string& key_file, std::string& error) {
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1) {
    error =
        "--cert " + certificate_file + ": " + TakeOpenSslError() + "; give a PEM chain, leaf first";
    return false;
  }
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    error = "--key " + key_file + ": " + TakeOpenSslError() +
            "; give the PEM key of the certificate in --cert";
    return false;
  }
  return true;
}

Ssl NewClientSsl(SSL_CTX* context, const std::string& host) {
  Ssl ssl(SSL_new(context));
  if (ssl == nullptr) return nullptr;
  bool named = IsAddress(host)
                   ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), host.c_str()) == 1
                   : SSL_set1_host(ssl.get(), host.c_str()) == 1 &&
                         SSL_set_tlsext_host_name(ssl.get(), host.c_str()) == 1;
  if (!named) return nullptr;
  SSL_set_connect_state(ssl.get());
  return ssl;
}

TlsStream::TlsStream(Descriptor socket, Ssl ssl)
    : socket_(std::move(socket)), ssl_(std::move(ssl)) {
  SSL_set_fd(ssl_.get(), socket_.get());
}

TlsStream::TlsStream(std::unique_ptr<ByteStream> carrier, Ssl ssl)
    : carrier_(std::move(carrier)), ssl_(std::move(ssl)) {
  BIO* bio = NewStreamBio(*carrier_);
  SSL_set_bio(ssl_.get(), bio, bio);
}

TlsStream::Result TlsStream::Explain(int returned) {
  int system_error = errno;
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      events_ = POLLIN;
      return Result::kWouldBlock;
    case SSL_ERROR_WANT_WRITE:
      events_ = POLLOUT;
      return Result::kWouldBlock;
    case SSL_ERROR_ZERO_RETURN:
      return Result::kClosed;
    case SSL_ERROR_SYSCALL:
      error_ = system_error == 0 ? "the connection was cut" : strerror(system_error);
      ERR_clear_error();
      return connected_ ? Result::kClosed : Result::kFailed;  // a reset is no failure of TLS
    default:
      // OpenSSL reports a connection that ends without close_notify as an error; to HTTP/2 with its
      // own framing it is only an end.
      if (connected_ && ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        ERR_clear_error();
        return Result::kClosed;
      }
      error_ = TakeOpenSslError();
      return Result::kFailed;
  }
}

TlsStream::Result TlsStream::Handshake() {
  ERR_clear_error();
  errno = 0;
  int returned = SSL_do_handshake(ssl_.get());
  connected_ = returned == 1;
  return connected_ ? Result::kDone : Explain(returned);
}

TlsStream::Result TlsStream::Read(std::span<uint8_t> out, size_t& count) {
  ERR_clear_error();
  errno = 0;
  int returned = SSL_read_ex(ssl_.get(), out.data(), out.size(), &count);
  return returned == 1 ? Result::kDone : Explain(returned);
}

TlsStream::Result TlsStream::Write(std::span<const uint8_t> data, size_t& count) {
  ERR_clear_error();
  errno = 0;
  int returned = SSL_write_ex(ssl_.get(), data.data(), data.size(), &count);
  return returned == 1 ? Result::kDone : Explain(returned);
}

void TlsStream::CloseWrite() {
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
  if (socket_.valid()) shutdown(fd(), SHUT_WR);
}

}  // namespace signet::tools
