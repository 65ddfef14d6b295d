#include <nghttp2/nghttp2.h>
#include <signet/nghttp2.h>
#include <signet/openssl.h>

#include <stdexcept>

#include "tests/bench/http_pair.h"
#include "tests/bench/libsignet_client.h"
#include "tests/support/nghttp2_callbacks.h"
#include "tests/support/tls_pair.h"

namespace signet::bench {
namespace {

void Check(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("HTTP/2: ") + what);
}

signet_nghttp2* Adapter(void* user) { return static_cast<signet_nghttp2*>(user); }

nghttp2_session_callbacks* NewCallbacks() {
  nghttp2_session_callbacks* all = nullptr;
  Check(nghttp2_session_callbacks_new(&all) == 0, "callbacks");
  test::HandOverToAdapter<Adapter>(all);
  return all;
}

class End {
 public:
  explicit End(SSL* ssl) : ssl_(ssl) {}
  ~End() {
    nghttp2_session_del(h2_);
    signet_nghttp2_free(&adapter);
  }
  End(const End&) = delete;
  End& operator=(const End&) = delete;

  void Start(bool client, const nghttp2_session_callbacks* callbacks) {
    nghttp2_option* option = nullptr;
    Check(nghttp2_option_new(&option) == 0, "option");
    signet_nghttp2_set_option(&adapter, option);
    Check((client ? nghttp2_session_client_new2 : nghttp2_session_server_new2)(
              &h2_, callbacks, &adapter, option) == 0,
          "session");
    nghttp2_option_del(option);
    nghttp2_settings_entry settings[2];
    const size_t count = signet_nghttp2_settings(&adapter, settings, 2);
    Check(nghttp2_submit_settings(h2_, NGHTTP2_FLAG_NONE, settings, count) == 0, "SETTINGS");
  }
  bool Send() {
    bool sent = false;
    Check(signet_nghttp2_submit(&adapter, h2_) == 0, "submit");
    const uint8_t* data = nullptr;
    for (ssize_t size; (size = signet_nghttp2_mem_send(&adapter, h2_, &data)) > 0;) {
      Check(SSL_write(ssl_, data, static_cast<int>(size)) == size, "write");
      sent = true;
    }
    return sent;
  }
  void Take() {
    uint8_t bytes[16384];
    for (int size; (size = SSL_read(ssl_, bytes, sizeof bytes)) > 0;) {
      Check(nghttp2_session_mem_recv(h2_, bytes, static_cast<size_t>(size)) == size, "read");
    }
  }

  signet_nghttp2 adapter{};

 private:
  SSL* const ssl_;
  nghttp2_session* h2_ = nullptr;
};

class Pair : public HttpPair {
 public:
  Pair(const test::TlsContexts& contexts, const nghttp2_session_callbacks* callbacks,
       const char* origin, bool with_libsignet)
      : tls_(contexts), client_(tls_.client()), server_(tls_.server()) {
    if (with_libsignet) {
      MakeSession(origin);
      MakeRequester();
    }
    signet_nghttp2_init_client(&client_.adapter, session_.get());
    signet_nghttp2_init_server(&server_.adapter, requester_.get());
    client_.Start(true, callbacks);
    server_.Start(false, callbacks);
    for (int i = 0; i < 2; ++i) {  // SETTINGS, and that they are there
      client_.Send();
      server_.Take();
      server_.Send();
      client_.Take();
    }
  }
  signet_session* session() override { return session_.get(); }
  signet_requester* requester() override { return requester_.get(); }
  bool ServerSends() override { return server_.Send(); }
  void ClientTakes() override { client_.Take(); }
  bool ClientSends() override { return client_.Send(); }
  void ServerTakes() override { server_.Take(); }

 private:
  void MakeSession(const char* origin) {
    signet_session_config config{};
    config.size = sizeof config;
    config.http = SIGNET_HTTP2;
    config.origin = origin;
    signet_session* made = nullptr;
    Check(signet_openssl_tls(tls_.client(), &config.tls) == SIGNET_OK &&
              signet_session_new(&config, &made) == SIGNET_OK,
          "session");
    session_.reset(made);
  }
  void MakeRequester() {
    signet_requester_config config{};
    config.size = sizeof config;
    config.http = SIGNET_HTTP2;
    signet_requester* made = nullptr;
    Check(signet_openssl_tls(tls_.server(), &config.tls) == SIGNET_OK &&
              signet_requester_new(&config, &made) == SIGNET_OK,
          "requester");
    requester_.reset(made);
  }

  const test::TlsPair tls_;
  SessionPtr session_;
  RequesterPtr requester_;
  End client_, server_;
};

class Pairs : public HttpPairs {
 public:
  explicit Pairs(std::string origin) : origin_(std::move(origin)) {}
  ~Pairs() override { nghttp2_session_callbacks_del(callbacks_); }
  std::unique_ptr<HttpPair> New(bool with_libsignet) override {
    return std::make_unique<Pair>(contexts_, callbacks_, origin_.c_str(), with_libsignet);
  }

 private:
  const std::string origin_;
  const test::TlsContexts contexts_{"TLS_AES_128_GCM_SHA256"};
  nghttp2_session_callbacks* const callbacks_ = NewCallbacks();
};

}  // namespace

std::unique_ptr<HttpPairs> NewHttp2Pairs(const std::string& origin) {
  return std::make_unique<Pairs>(origin);
}

}  // namespace signet::bench
