// As exporter_test.cc, with the TLS library of a browser, where a handshake with early data returns
// before it is complete and SSL_read and SSL_write go on with it unseen.
#include <gtest/gtest.h>
#include <openssl/ec_key.h>
#include <openssl/nid.h>
#include <openssl/x509.h>
#include <signet/openssl.h>

#include <memory>
#include <string>

#include "ipc/wire/client_hello.h"
#include "tests/support/exporter_by_hand.h"

namespace signet::test {
namespace {

void UseOwnCertificate(SSL_CTX* context) {
  bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  bssl::UniquePtr<X509> certificate(X509_new());
  ASSERT_TRUE(EC_KEY_generate_key(ec.get()) && EVP_PKEY_set1_EC_KEY(key.get(), ec.get()));
  X509_gmtime_adj(X509_get_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_get_notAfter(certificate.get()), 3600);
  ASSERT_TRUE(X509_set_version(certificate.get(), 2) &&
              X509_set_pubkey(certificate.get(), key.get()) &&
              X509_sign(certificate.get(), key.get(), EVP_sha256()));
  ASSERT_TRUE(SSL_CTX_use_certificate(context, certificate.get()) &&
              SSL_CTX_use_PrivateKey(context, key.get()));
}

class BoringSslExporterTest : public ::testing::Test {
 protected:
  BoringSslExporterTest()
      : client_context_(SSL_CTX_new(TLS_method())), server_context_(SSL_CTX_new(TLS_method())) {
    for (SSL_CTX* context : {client_context_.get(), server_context_.get()}) {
      SSL_CTX_set_early_data_enabled(context, 1);
      SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    }
    UseOwnCertificate(server_context_.get());
    SSL_CTX_set_app_data(server_context_.get(), &secrets_);
    SSL_CTX_set_keylog_callback(server_context_.get(), NoteSecret);
    SSL_CTX_set_app_data(client_context_.get(), this);
    SSL_CTX_set_session_cache_mode(client_context_.get(), SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(client_context_.get(), [](SSL* ssl, SSL_SESSION* session) {
      static_cast<BoringSslExporterTest*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))
          ->session_.reset(session);
      return 1;  // it is ours now
    });
  }

  void Connect() {
    client_.reset(SSL_new(client_context_.get()));
    server_.reset(SSL_new(server_context_.get()));
    BIO* client_end = nullptr;
    BIO* server_end = nullptr;
    ASSERT_EQ(BIO_new_bio_pair(&client_end, 0, &server_end, 0), 1);
    SSL_set_bio(client_.get(), client_end, client_end);
    SSL_set_bio(server_.get(), server_end, server_end);
    SSL_set_connect_state(client_.get());
    SSL_set_accept_state(server_.get());
    if (session_ != nullptr) SSL_set_session(client_.get(), session_.get());
    secrets_.clear();
  }

  std::string Read(SSL* ssl) {
    char data[16];
    const int size = SSL_read(ssl, data, sizeof data);
    return size > 0 ? std::string(data, size) : "";
  }
  static bool Write(SSL* ssl, const std::string& text) {
    return SSL_write(ssl, text.data(), static_cast<int>(text.size())) ==
           static_cast<int>(text.size());
  }
  static signet_status Tls(SSL* ssl) {
    signet_tls tls;
    return signet_openssl_tls(ssl, &tls);
  }
  std::vector<uint8_t> Exported(SSL* ssl) {
    signet_tls tls;
    EXPECT_EQ(signet_openssl_tls(ssl, &tls), SIGNET_OK);
    std::vector<uint8_t> out(tls.hash == SIGNET_HASH_SHA256 ? 32 : 48);
    EXPECT_EQ(tls.export_keying_material(tls.user, kHandshakeContextLabel, out.data(), out.size()),
              1);
    return out;
  }
  std::vector<uint8_t> FromExporterSecret() {
    const std::vector<uint8_t>& secret = secrets_.at("EXPORTER_SECRET");
    return ExportedFrom(secret.size() == 32 ? EVP_sha256() : EVP_sha384(), secret);
  }

  Secrets secrets_;
  bssl::UniquePtr<SSL_CTX> client_context_, server_context_;
  bssl::UniquePtr<SSL_SESSION> session_;
  bssl::UniquePtr<SSL> client_, server_;
};

TEST_F(BoringSslExporterTest, WithEarlyDataWaitsForTheEndOfTheHandshakeAndIsNeverTheEarlyOne) {
  Connect();
  SSL_do_handshake(client_.get());
  SSL_do_handshake(server_.get());
  ASSERT_EQ(SSL_do_handshake(client_.get()), 1);
  ASSERT_EQ(SSL_do_handshake(server_.get()), 1);
  ASSERT_TRUE(Write(server_.get(), "ticket"));
  ASSERT_EQ(Read(client_.get()), "ticket");
  EXPECT_EQ(Exported(client_.get()), FromExporterSecret());
  EXPECT_EQ(Exported(server_.get()), FromExporterSecret());
  ASSERT_NE(session_, nullptr);
  ASSERT_TRUE(SSL_SESSION_early_data_capable(session_.get()));

  Connect();
  SSL* const client = client_.get();
  SSL* const server = server_.get();
  ASSERT_EQ(SSL_do_handshake(client), 1);
  ASSERT_TRUE(SSL_in_early_data(client));
  ASSERT_TRUE(Write(client, "early"));
  EXPECT_EQ(Tls(client), SIGNET_ERROR_STATE);

  ASSERT_EQ(SSL_do_handshake(server), 1);
  EXPECT_EQ(Tls(server), SIGNET_ERROR_STATE);
  EXPECT_EQ(Read(server), "early");
  ASSERT_TRUE(Write(server, "half"));
  EXPECT_EQ(Tls(server), SIGNET_ERROR_STATE) << "the client's Finished is not there yet";

  EXPECT_EQ(Read(client), "half");
  EXPECT_EQ(Tls(client), SIGNET_OK);
  EXPECT_EQ(Tls(server), SIGNET_ERROR_STATE);
  EXPECT_EQ(Read(server), "") << "takes Finished";
  EXPECT_EQ(Tls(server), SIGNET_OK);
  EXPECT_TRUE(SSL_early_data_accepted(client));
  EXPECT_TRUE(SSL_early_data_accepted(server));
  EXPECT_EQ(Exported(client), FromExporterSecret());
  EXPECT_EQ(Exported(server), FromExporterSecret());
}

// On both ends, resumed too; after a HelloRetryRequest the second.
TEST_F(BoringSslExporterTest, BothEndsKeepTheLastClientHello) {
  SSL_CTX_set_early_data_enabled(client_context_.get(), 0);
  for (const char* curves : {"X25519", "P-384", "P-384"}) {
    Connect();
    ASSERT_TRUE(SSL_set1_curves_list(client_.get(), "X25519:P-384"));
    ASSERT_TRUE(SSL_set1_curves_list(server_.get(), curves));
    signet_bytes client{}, server{};
    signet_openssl_keep_client_hello(client_.get(), &client);
    signet_openssl_keep_client_hello(server_.get(), &server);
    for (int i = 0; i < 4; ++i) {
      SSL_do_handshake(client_.get());
      SSL_do_handshake(server_.get());
    }
    ASSERT_TRUE(Write(server_.get(), "ticket"));
    ASSERT_EQ(Read(client_.get()), "ticket");
    ASSERT_EQ(std::vector(client.data, client.data + client.size),
              std::vector(server.data, server.data + server.size));
    const auto hello = wire::ParseClientHello({client.data, client.size});
    ASSERT_TRUE(hello.ok()) << wire::Describe(hello.error());
    EXPECT_FALSE(hello->signature_algorithms.empty());
    signet_openssl_forget_client_hello(client_.get(), &client);
    signet_openssl_forget_client_hello(server_.get(), &server);
  }
  EXPECT_TRUE(SSL_session_reused(server_.get()));
}

}  // namespace
}  // namespace signet::test
