// signet/openssl.h.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509v3.h>
#include <signet/openssl.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client-lib/src/adapter_contract.h"
#include "ipc/wire/client_hello.h"
#include "tests/support/test_ca.h"
#include "tests/support/tls_pair.h"

namespace signet::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(OpensslAdapterTest, TakesTheHashFromTheCipherSuite) {
  signet_tls tls;
  ASSERT_EQ(signet_openssl_tls(TlsPair("TLS_AES_128_GCM_SHA256").client(), &tls), SIGNET_OK);
  EXPECT_EQ(tls.hash, SIGNET_HASH_SHA256);
  ASSERT_EQ(signet_openssl_tls(TlsPair("TLS_CHACHA20_POLY1305_SHA256").client(), &tls), SIGNET_OK);
  EXPECT_EQ(tls.hash, SIGNET_HASH_SHA256);
  ASSERT_EQ(signet_openssl_tls(TlsPair("TLS_AES_256_GCM_SHA384").server(), &tls), SIGNET_OK);
  EXPECT_EQ(tls.hash, SIGNET_HASH_SHA384);
}

TEST(OpensslAdapterTest, RefusesAnythingButACompletedTls13Handshake) {
  signet_tls tls{};
  TlsPair old("TLS_AES_128_GCM_SHA256", TLS1_2_VERSION);
  for (SSL* end : {old.client(), old.server()}) {
    EXPECT_EQ(signet_openssl_tls(end, &tls), SIGNET_ERROR_TLS);
  }
  TlsPair begun("TLS_AES_128_GCM_SHA256", TLS1_3_VERSION, Handshake::kNotStarted);
  EXPECT_EQ(signet_openssl_tls(begun.client(), &tls), SIGNET_ERROR_STATE);
  // The server has sent its Finished, but the client's is not there yet.
  SSL_do_handshake(begun.client());
  SSL_do_handshake(begun.server());
  EXPECT_EQ(signet_openssl_tls(begun.server(), &tls), SIGNET_ERROR_STATE);
  SSL_do_handshake(begun.client());
  EXPECT_EQ(signet_openssl_tls(begun.client(), &tls), SIGNET_OK);
  EXPECT_EQ(signet_openssl_tls(begun.server(), &tls), SIGNET_ERROR_STATE);
  EXPECT_EQ(signet_openssl_tls(nullptr, &tls), SIGNET_ERROR_ARGUMENT);
}

TEST(OpensslAdapterTest, ExportsTheSameOnBothEndsAndAnotherOnEachConnection) {
  const auto exported = [](SSL* ssl, const char* label) {
    signet_tls tls;
    EXPECT_EQ(signet_openssl_tls(ssl, &tls), SIGNET_OK);
    Der out(32);
    EXPECT_EQ(tls.export_keying_material(tls.user, label, out.data(), out.size()), 1);
    return out;
  };
  TlsPair one, two;
  EXPECT_EQ(exported(one.client(), "EXPORTER-a"), exported(one.server(), "EXPORTER-a"));
  EXPECT_NE(exported(one.client(), "EXPORTER-a"), exported(one.client(), "EXPORTER-b"));
  EXPECT_NE(exported(one.client(), "EXPORTER-a"), exported(two.client(), "EXPORTER-a"));
}

// RFC 4231 test case 2; "abc" of FIPS 180-2.
TEST(OpensslAdapterTest, HashesAndMacsAsTheStandardsSay) {
  TlsPair pair;
  signet_tls tls;
  ASSERT_EQ(signet_openssl_tls(pair.client(), &tls), SIGNET_OK);
  ExpectStandardHashes(tls);
}

// -- the ClientHello

struct Kept {
  explicit Kept(SSL* of) : ssl(of) { signet_openssl_keep_client_hello(ssl, &hello); }
  ~Kept() { signet_openssl_forget_client_hello(ssl, &hello); }
  Der bytes() const { return {hello.data, hello.data + hello.size}; }

  SSL* ssl;
  signet_bytes hello{};
};

void Shake(const TlsPair& pair) {
  for (int i = 0; i < 4; ++i) {
    SSL_do_handshake(pair.client());
    SSL_do_handshake(pair.server());
  }
  ASSERT_TRUE(SSL_is_init_finished(pair.client()) && SSL_is_init_finished(pair.server()));
}

TEST(OpensslClientHelloTest, IsTheSameOnBothEnds) {
  TlsPair pair("TLS_AES_128_GCM_SHA256", TLS1_3_VERSION, Handshake::kNotStarted);
  Kept client(pair.client()), server(pair.server());
  SSL_set1_sigalgs_list(pair.client(), "ed25519:ECDSA+SHA256");
  Shake(pair);
  EXPECT_EQ(client.bytes(), server.bytes());
  const auto hello = wire::ParseClientHello(client.bytes());
  ASSERT_TRUE(hello.ok());
  EXPECT_THAT(
      hello->signature_algorithms,
      ElementsAre(wire::SignatureScheme::kEd25519, wire::SignatureScheme::kEcdsaSecp256r1Sha256));
}

TEST(OpensslClientHelloTest, IsTheSecondAfterAHelloRetryRequest) {
  TlsPair pair("TLS_AES_128_GCM_SHA256", TLS1_3_VERSION, Handshake::kNotStarted);
  Kept client(pair.client()), server(pair.server());
  SSL_set1_groups_list(pair.client(), "X25519:P-384");
  SSL_set1_groups_list(pair.server(), "P-384");
  SSL_do_handshake(pair.client());
  const Der first = client.bytes();
  Shake(pair);
  EXPECT_EQ(client.bytes(), server.bytes());
  EXPECT_NE(client.bytes(), first);
  EXPECT_TRUE(wire::ParseClientHello(client.bytes()).ok());
}

TEST(OpensslClientHelloTest, IsThatOfTheResumedConnection) {
  const TlsContexts contexts("TLS_AES_128_GCM_SHA256");
  TlsPair first(contexts);
  char byte;
  SSL_read(first.client(), &byte, 1);  // tickets
  TlsPair second(contexts, Handshake::kNotStarted);
  Kept client(second.client()), server(second.server());
  ASSERT_EQ(SSL_set_session(second.client(), SSL_get0_session(first.client())), 1);
  Shake(second);
  ASSERT_EQ(SSL_session_reused(second.server()), 1);
  EXPECT_EQ(client.bytes(), server.bytes());
  const auto hello = wire::ParseClientHello(client.bytes());
  ASSERT_TRUE(hello.ok());
  EXPECT_THAT(hello->extensions, Contains(41)) << "pre_shared_key";
}

TEST(OpensslClientHelloTest, IsGoneWhenForgotten) {
  TlsPair pair("TLS_AES_128_GCM_SHA256", TLS1_3_VERSION, Handshake::kNotStarted);
  signet_bytes hello{};
  signet_openssl_keep_client_hello(pair.server(), &hello);
  signet_openssl_forget_client_hello(pair.server(), &hello);
  Shake(pair);
  EXPECT_EQ(hello.data, nullptr);
  EXPECT_EQ(hello.size, 0u);
}

// -- signatures: each scheme with each key

int Verify(const Der& certificate, uint16_t scheme, std::string_view message,
           const Der& signature) {
  return signet_openssl_verify(nullptr, Bytes(certificate), scheme, Bytes(message),
                               Bytes(signature));
}

TEST(OpensslAdapterTest, VerifiesEachSchemeWithTheKeysThatFitIt) {
  ExpectEachSchemeFitsItsKey(Verify);
  EXPECT_EQ(ERR_peek_error(), 0u) << "the error queue is not ours";
}

TEST(OpensslAdapterTest, SignsWithTheSchemesOfAKeyAndNoOther) {
  for (const TestKeyType type :
       {TestKeyType::kP256, TestKeyType::kP384, TestKeyType::kP521, TestKeyType::kRsa2048,
        TestKeyType::kRsaPss2048, TestKeyType::kEd25519, TestKeyType::kEd448}) {
    const TestKey key = TestKey::Generate(type);
    std::vector<uint16_t> schemes(4);
    schemes.resize(signet_openssl_schemes(key.get(), schemes.data(), schemes.size()));
    const auto sign = [&](uint16_t scheme, std::string_view message, Der& out) {
      size_t size = out.size();
      if (!signet_openssl_sign(key.get(), scheme, Bytes(message), out.data(), &size)) return 0;
      out.resize(size);
      return 1;
    };
    ExpectSignsWith(type, key, schemes, sign, Verify);
  }
  EXPECT_EQ(ERR_peek_error(), 0u) << "the error queue is not ours";
}

TEST(OpensslAdapterTest, RefusesSchemesThatTls13DoesNotSignWith) {
  const TestKey rsa = TestKey::Generate(TestKeyType::kRsa2048);
  const Der certificate = SelfSigned(rsa);
  for (const uint16_t scheme : {0x0401, 0x0201, 0x0203, 0x0000, 0xffff}) {
    EXPECT_EQ(Verify(certificate, scheme, "message", Der(256)), 0);
  }
}

// The salt must be as long as the hash (RFC 8446 section 4.2.3).
TEST(OpensslAdapterTest, RefusesAnotherSaltLength) {
  const TestKey key = TestKey::Generate(TestKeyType::kRsa2048);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* parameters = nullptr;
  ASSERT_EQ(EVP_DigestSignInit(context, &parameters, EVP_sha256(), nullptr, key.get()), 1);
  EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
  EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, 20);
  Der signature(256);
  size_t size = signature.size();
  const std::string message = "message";
  ASSERT_EQ(EVP_DigestSign(context, signature.data(), &size,
                           reinterpret_cast<const uint8_t*>(message.data()), message.size()),
            1);
  EVP_MD_CTX_free(context);
  EXPECT_EQ(Verify(SelfSigned(key), 0x0804, message, signature), 0);
}

TEST(OpensslAdapterTest, RefusesACertificateThatIsNotWhole) {
  const TestKey key = TestKey::Generate(TestKeyType::kP256);
  const std::string_view message = "message";
  const Der signature = key.Sign(0x0403, Der(message.begin(), message.end()));
  Der certificate = SelfSigned(key);
  ASSERT_EQ(Verify(certificate, 0x0403, message, signature), 1);
  certificate.push_back(0);
  EXPECT_EQ(Verify(certificate, 0x0403, message, signature), 0);
  EXPECT_EQ(Verify({}, 0x0403, message, signature), 0);
}

struct FreeStore {
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
};

// -- chains of servers

TEST(OpensslServerCertsTest, CoverTheirNamesOnly) {
  ExpectCoversNamesOfTheLeafOnly([](signet_bytes leaf, const char* host) {
    return signet_openssl_covers_host(nullptr, leaf, host);
  });
  EXPECT_EQ(ERR_peek_error(), 0u) << "the error queue is not ours";
}

TEST(OpensslServerCertsTest, AreToldByTheirFirstNames) {
  ExpectTellsTheFirstNames([](signet_bytes leaf, char* out, size_t size) {
    signet_openssl_server_names(nullptr, leaf, out, size);
  });
}

TEST(OpensslServerCertsTest, HaveChainsForServers) {
  ExpectChecksChainsOfServers([](const Der& anchor, const std::vector<Der>& chain) {
    const std::unique_ptr<X509_STORE, FreeStore> store(X509_STORE_new());
    const uint8_t* data = anchor.data();
    X509* root = d2i_X509(nullptr, &data, static_cast<long>(anchor.size()));
    X509_STORE_add_cert(store.get(), root);
    X509_free(root);
    signet_openssl_trust trust = {store.get(), nullptr, nullptr};
    std::vector<signet_bytes> views;
    for (const Der& certificate : chain) views.push_back(Bytes(certificate));
    const char* why = "";
    const int good = signet_openssl_check_server_chain(&trust, views.data(), views.size(), &why);
    EXPECT_EQ(good == 1, *why == '\0');
    EXPECT_EQ(ERR_peek_error(), 0u);
    return std::string(why);
  });
}

// -- chains

class ChainTest : public ::testing::Test {
 protected:
  ChainTest() : store_(X509_STORE_new()) {
    const Der& der = root_.certificate();
    const uint8_t* data = der.data();
    X509* anchor = d2i_X509(nullptr, &data, static_cast<long>(der.size()));
    X509_STORE_add_cert(store_.get(), anchor);
    X509_free(anchor);
  }

  // Empty when the chain is good, else why not.
  std::string Fault(const std::vector<Der>& chain) {
    return Fault({store_.get(), nullptr, nullptr}, chain);
  }
  std::string Fault(signet_openssl_trust trust, const std::vector<Der>& chain) {
    std::vector<signet_bytes> views;
    for (const Der& certificate : chain) views.push_back(Bytes(certificate));
    const char* why = nullptr;
    const int good = signet_openssl_check_chain(&trust, 1, views.data(), views.size(), &why);
    if (trust.not_revoked == nullptr) {
      EXPECT_EQ(signet_openssl_verify_chain(store_.get(), views.data(), views.size(), nullptr),
                good);
    }
    EXPECT_EQ(good == 1, why == nullptr);
    EXPECT_EQ(ERR_peek_error(), 0u);
    return why == nullptr ? "" : why;
  }

  void AddList(const Der& der) {
    const uint8_t* data = der.data();
    X509_CRL* list = d2i_X509_CRL(nullptr, &data, static_cast<long>(der.size()));
    EXPECT_EQ(X509_STORE_add_crl(store_.get(), list), 1);
    X509_CRL_free(list);
  }

  const TestCa root_ = TestCa::Root("Root");
  const TestCa issuing_ = root_.Intermediate("Issuing");
  const TestKey key_ = TestKey::Generate(TestKeyType::kP256);
  const std::unique_ptr<X509_STORE, FreeStore> store_;
};

TEST_F(ChainTest, LeadsToAnAnchor) {
  EXPECT_EQ(Fault({root_.Issue(key_.public_key())}), "");
  EXPECT_EQ(Fault({issuing_.Issue(key_.public_key()), issuing_.certificate()}), "");
  EXPECT_EQ(Fault({issuing_.Issue(key_.public_key()), issuing_.certificate(), root_.certificate()}),
            "");
}

TEST_F(ChainTest, NeedsItsIntermediate) {
  EXPECT_THAT(Fault({issuing_.Issue(key_.public_key())}), HasSubstr("issuer"));
}

TEST_F(ChainTest, MustNotBringItsOwnAnchor) {
  const TestCa stranger = TestCa::Root("Root");
  EXPECT_NE(Fault({stranger.Issue(key_.public_key()), stranger.certificate()}), "");
  EXPECT_NE(Fault({SelfSigned(key_)}), "");
}

TEST_F(ChainTest, MustBeForClientsAndNow) {
  EXPECT_NE(Fault({root_.Issue(key_.public_key(), {.extended_key_usage = "serverAuth"})}), "");
  const auto past = std::chrono::system_clock::now() - std::chrono::hours(1);
  EXPECT_THAT(Fault({root_.Issue(key_.public_key(),
                                 {.not_before = past - std::chrono::hours(1), .not_after = past})}),
              HasSubstr("expired"));
}

TEST_F(ChainTest, MustLetItsLeafSign) {
  for (const char* usage : {"keyAgreement", "critical,keyAgreement,keyEncipherment"}) {
    EXPECT_NE(Fault({root_.Issue(key_.public_key(), {.key_usage = usage})}), "") << usage;
  }
  EXPECT_EQ(Fault({root_.Issue(key_.public_key(), {.key_usage = ""})}), "");
  EXPECT_EQ(Fault({root_.Issue(key_.public_key(), {.key_usage = "digitalSignature,keyAgreement"})}),
            "");
}

TEST_F(ChainTest, MustBeStrong) {
  EXPECT_NE(Fault({root_.Issue(key_.public_key(), {.digest = "SHA1"})}), "");
}

TEST_F(ChainTest, KeepsToTheNameConstraintsOfItsAuthorities) {
  CertificateOptions options{.common_name = "Ours only",
                             .key_usage = "critical,keyCertSign",
                             .extended_key_usage = {},
                             .basic_constraints = "critical,CA:TRUE",
                             .name_constraints = "critical,permitted;email:example.com"};
  const TestKey authority_key = TestKey::Generate(TestKeyType::kP256);
  const TestCa limited =
      TestCa::WithCertificate(authority_key, root_.Issue(authority_key.public_key(), options));
  const auto issue = [&](const char* email) {
    return std::vector<Der>{
        limited.Issue(key_.public_key(), {.subject_alt_names = std::string("email:") + email}),
        limited.certificate()};
  };
  EXPECT_EQ(Fault(issue("alice@example.com")), "");
  EXPECT_THAT(Fault(issue("alice@example.org")), HasSubstr("permitted subtree"));
}

TEST_F(ChainTest, MustNotBeOnARevocationListOfTheStore) {
  const Der good = issuing_.Issue(key_.public_key());
  const Der stolen = issuing_.Issue(key_.public_key());
  X509_STORE_set_flags(store_.get(), X509_V_FLAG_CRL_CHECK);
  EXPECT_THAT(Fault({good, issuing_.certificate()}), HasSubstr("CRL"));
  AddList(issuing_.RevocationList({stolen}));
  EXPECT_EQ(Fault({good, issuing_.certificate()}), "");
  EXPECT_THAT(Fault({stolen, issuing_.certificate()}), HasSubstr("revoked"));
}

struct Responder {
  std::vector<std::string> asked;
  std::string revoked;

  static int NotRevoked(void* user, X509* certificate, X509* issuer) {
    auto& self = *static_cast<Responder*>(user);
    EXPECT_EQ(X509_check_issued(issuer, certificate), X509_V_OK);
    char name[64];
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                              sizeof name);
    self.asked.push_back(name);
    return self.revoked != name;
  }
};

TEST_F(ChainTest, MustNotBeRevokedForWhomeverIsAsked) {
  Responder responder;
  const signet_openssl_trust trust = {store_.get(), Responder::NotRevoked, &responder};
  const Der leaf = issuing_.Issue(key_.public_key(), {.common_name = "leaf"});
  EXPECT_EQ(Fault(trust, {leaf, issuing_.certificate(), root_.certificate()}), "");
  EXPECT_THAT(responder.asked, ElementsAre("leaf", "Issuing")) << "the anchor is trusted";
  responder.revoked = "Issuing";
  EXPECT_THAT(Fault(trust, {leaf, issuing_.certificate()}), HasSubstr("revoked"));
  responder.asked.clear();
  EXPECT_THAT(Fault(trust, {leaf}), HasSubstr("issuer"));
  EXPECT_THAT(responder.asked, IsEmpty()) << "a chain that is bad anyway";
}

TEST_F(ChainTest, MustBeCertificates) {
  EXPECT_THAT(Fault({}), HasSubstr("can't be read"));
  EXPECT_THAT(Fault({Der{0x30, 0}}), HasSubstr("can't be read"));
  EXPECT_THAT(Fault({root_.Issue(key_.public_key()), Der{1, 2}}), HasSubstr("can't be read"));
}

}  // namespace
}  // namespace signet::test
