// signet/gnutls.h.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signet/client.h>
#include <signet/gnutls.h>

#include <string>
#include <string_view>
#include <vector>

#include "client-lib/src/adapter_contract.h"
#include "ipc/wire/client_hello.h"
#include "tests/support/exporter_by_hand.h"
#include "tests/support/gnutls_pair.h"
#include "tests/support/test_ca.h"

namespace signet::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

constexpr char kSha256Suite[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM";
constexpr char kSha384Suite[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM";

signet_status Tls(gnutls_session_t session) {
  signet_tls tls;
  return signet_gnutls_tls(session, &tls);
}

Der Exported(gnutls_session_t session, const EVP_MD* hash = EVP_sha256()) {
  signet_tls tls;
  EXPECT_EQ(signet_gnutls_tls(session, &tls), SIGNET_OK);
  Der out(EVP_MD_get_size(hash));
  EXPECT_EQ(tls.export_keying_material(tls.user, kHandshakeContextLabel, out.data(), out.size()),
            1);
  return out;
}

class GnutlsAdapterTest : public ::testing::Test {
 protected:
  const GnutlsServer server_;
};

TEST_F(GnutlsAdapterTest, TakesTheHashFromTheCipherSuite) {
  for (const auto& [priority, hash] :
       {std::pair(kSha256Suite, SIGNET_HASH_SHA256), std::pair(kSha384Suite, SIGNET_HASH_SHA384)}) {
    GnutlsPair pair(server_, priority);
    pair.Shake();
    for (gnutls_session_t end : {pair.client(), pair.server()}) {
      signet_tls tls;
      ASSERT_EQ(signet_gnutls_tls(end, &tls), SIGNET_OK);
      EXPECT_EQ(tls.hash, hash);
    }
  }
}

TEST_F(GnutlsAdapterTest, RefusesAnythingButACompletedTls13Handshake) {
  GnutlsPair old(server_, "NORMAL:-VERS-ALL:+VERS-TLS1.2");
  old.Shake();
  EXPECT_EQ(Tls(old.client()), SIGNET_ERROR_TLS);
  EXPECT_EQ(Tls(old.server()), SIGNET_ERROR_TLS);

  GnutlsPair begun(server_);
  EXPECT_EQ(Tls(begun.client()), SIGNET_ERROR_STATE);
  EXPECT_EQ(gnutls_handshake(begun.client()), GNUTLS_E_AGAIN);
  EXPECT_EQ(gnutls_handshake(begun.server()), GNUTLS_E_AGAIN) << "its Finished is out";
  EXPECT_EQ(Tls(begun.server()), SIGNET_ERROR_STATE);
  EXPECT_EQ(gnutls_handshake(begun.client()), 0);
  EXPECT_EQ(Tls(begun.client()), SIGNET_OK);
  EXPECT_EQ(Tls(begun.server()), SIGNET_ERROR_STATE) << "the client's Finished is not read";
  EXPECT_EQ(gnutls_handshake(begun.server()), 0);
  EXPECT_EQ(Tls(begun.server()), SIGNET_OK);

  EXPECT_EQ(Tls(nullptr), SIGNET_ERROR_ARGUMENT);
  EXPECT_EQ(signet_gnutls_tls(begun.client(), nullptr), SIGNET_ERROR_ARGUMENT);
}

// A server that may send before it knows the client: gnutls_handshake says that it is done.
TEST_F(GnutlsAdapterTest, RefusesAServerThatStartedEarly) {
  GnutlsPair pair(server_, kSha256Suite, 0, GNUTLS_ENABLE_EARLY_START);
  EXPECT_EQ(gnutls_handshake(pair.client()), GNUTLS_E_AGAIN);
  ASSERT_EQ(gnutls_handshake(pair.server()), 0);
  EXPECT_EQ(Tls(pair.server()), SIGNET_ERROR_STATE);
  ASSERT_EQ(gnutls_handshake(pair.client()), 0);
  EXPECT_EQ(Tls(pair.server()), SIGNET_ERROR_STATE);
  ASSERT_EQ(gnutls_record_send(pair.client(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(gnutls_record_recv(pair.server(), &byte, 1), 1) << "after the client's Finished";
  EXPECT_EQ(Tls(pair.server()), SIGNET_OK);
}

// RFC 8446 section 7.5 by hand, from the secret that GnuTLS wrote down.
TEST_F(GnutlsAdapterTest, ExportsFromTheExporterMasterSecretWithAnEmptyContext) {
  for (const auto& [priority, hash] :
       {std::pair(kSha256Suite, EVP_sha256()), std::pair(kSha384Suite, EVP_sha384())}) {
    GnutlsPair pair(server_, priority);
    pair.Shake();
    const Der by_hand = ExportedFrom(hash, pair.secrets.at("EXPORTER_SECRET"));
    EXPECT_EQ(Exported(pair.client(), hash), by_hand);
    EXPECT_EQ(Exported(pair.server(), hash), by_hand);
  }
}

TEST_F(GnutlsAdapterTest, ExportsOtherKeysForOtherLabelsAndConnections) {
  GnutlsPair one(server_), two(server_);
  one.Shake();
  two.Shake();
  signet_tls tls;
  ASSERT_EQ(signet_gnutls_tls(one.client(), &tls), SIGNET_OK);
  Der other(32);
  ASSERT_EQ(tls.export_keying_material(tls.user, "EXPORTER-other", other.data(), other.size()), 1);
  EXPECT_NE(Exported(one.client()), other);
  EXPECT_NE(Exported(one.client()), Exported(two.client()));
}

// Has the client of `second`, which has not begun, resume the session of `first`.
void Resume(const GnutlsPair& first, const GnutlsPair& second) {
  char byte;
  EXPECT_EQ(gnutls_record_recv(first.client(), &byte, 1), GNUTLS_E_AGAIN) << "tickets only";
  gnutls_datum_t session{};
  ASSERT_EQ(gnutls_session_get_data2(first.client(), &session), 0);
  EXPECT_EQ(gnutls_session_set_data(second.client(), session.data, session.size), 0);
  gnutls_free(session.data);
}

// So that no authenticator outlives its connection, though the session does.
TEST_F(GnutlsAdapterTest, ExportsOtherKeysOnAResumedConnection) {
  GnutlsPair first(server_, kSha256Suite), second(server_, kSha256Suite);
  first.Shake();
  ASSERT_NO_FATAL_FAILURE(Resume(first, second));
  second.Shake();
  ASSERT_TRUE(gnutls_session_is_resumed(second.server()));
  EXPECT_EQ(Exported(second.client()), Exported(second.server()));
  EXPECT_NE(Exported(second.client()), Exported(first.client()));
}

// Keys of the exporter outlive those of the traffic (RFC 8446 section 7.2).
TEST_F(GnutlsAdapterTest, ExportsTheSameAfterAKeyUpdate) {
  GnutlsPair pair(server_);
  pair.Shake();
  const Der before = Exported(pair.client());
  char byte = 'x';
  ASSERT_EQ(gnutls_session_key_update(pair.client(), GNUTLS_KU_PEER), 0);
  ASSERT_EQ(gnutls_record_send(pair.client(), &byte, 1), 1);
  ASSERT_EQ(gnutls_record_recv(pair.server(), &byte, 1), GNUTLS_E_AGAIN) << "the update";
  ASSERT_EQ(gnutls_record_recv(pair.server(), &byte, 1), 1);
  EXPECT_EQ(Exported(pair.client()), before);
  EXPECT_EQ(Exported(pair.server()), before);
}

// RFC 4231 test case 2; "abc" of FIPS 180-2.
TEST_F(GnutlsAdapterTest, HashesAndMacsAsTheStandardsSay) {
  GnutlsPair pair(server_);
  pair.Shake();
  signet_tls tls;
  ASSERT_EQ(signet_gnutls_tls(pair.client(), &tls), SIGNET_OK);
  ExpectStandardHashes(tls);
  Der other(32);
  ASSERT_EQ(tls.random(tls.user, other.data(), other.size()), 1);
  EXPECT_NE(other, Der(32));
}

// -- the ClientHello

struct Kept {
  explicit Kept(gnutls_session_t of) : tls(of) {
    EXPECT_EQ(signet_gnutls_keep_client_hello(tls, &hello), SIGNET_OK);
  }
  ~Kept() { signet_gnutls_forget_client_hello(tls, &hello); }
  Der bytes() const { return {hello.data, hello.data + hello.size}; }

  gnutls_session_t tls;
  signet_bytes hello{};
};

TEST_F(GnutlsAdapterTest, KeepsTheSameClientHelloOnBothEnds) {
  GnutlsPair pair(server_, std::string(kSha256Suite) +
                               ":-SIGN-ALL:+SIGN-EDDSA-ED25519:+SIGN-ECDSA-SECP256R1-SHA256");
  Kept client(pair.client()), server(pair.server());
  pair.Shake();
  EXPECT_EQ(client.bytes(), server.bytes());
  const auto hello = wire::ParseClientHello(client.bytes());
  ASSERT_TRUE(hello.ok()) << wire::Describe(hello.error());
  EXPECT_THAT(
      hello->signature_algorithms,
      ElementsAre(wire::SignatureScheme::kEd25519, wire::SignatureScheme::kEcdsaSecp256r1Sha256));
  EXPECT_THAT(hello->extensions, Not(Contains(SIGNET_GNUTLS_PLACE)));
}

TEST_F(GnutlsAdapterTest, KeepsTheSecondClientHelloAfterAHelloRetryRequest) {
  GnutlsPair pair(server_, kSha256Suite);
  const auto groups = [](gnutls_session_t tls, const char* names) {
    const std::string priority = std::string(kSha256Suite) + ":-GROUP-ALL:" + names;
    ASSERT_EQ(gnutls_priority_set_direct(tls, priority.c_str(), nullptr), 0);
  };
  groups(pair.client(), "+GROUP-SECP256R1:+GROUP-SECP384R1");
  groups(pair.server(), "+GROUP-SECP384R1");
  Kept client(pair.client()), server(pair.server());
  gnutls_handshake(pair.client());
  const Der first = client.bytes();
  ASSERT_TRUE(wire::ParseClientHello(first).ok());
  pair.Shake();
  EXPECT_EQ(client.bytes(), server.bytes());
  EXPECT_NE(client.bytes(), first);
  EXPECT_TRUE(wire::ParseClientHello(client.bytes()).ok());
}

TEST_F(GnutlsAdapterTest, KeepsTheClientHelloOfAResumedConnection) {
  GnutlsPair first(server_, kSha256Suite), second(server_, kSha256Suite);
  first.Shake();
  ASSERT_NO_FATAL_FAILURE(Resume(first, second));
  Kept client(second.client()), server(second.server());
  second.Shake();
  ASSERT_TRUE(gnutls_session_is_resumed(second.server()));
  EXPECT_EQ(client.bytes(), server.bytes());
  const auto hello = wire::ParseClientHello(client.bytes());
  ASSERT_TRUE(hello.ok());
  EXPECT_THAT(hello->extensions, Contains(41)) << "pre_shared_key";
}

TEST_F(GnutlsAdapterTest, KeepsNothingThatIsForgotten) {
  GnutlsPair pair(server_);
  signet_bytes hello{};
  ASSERT_EQ(signet_gnutls_keep_client_hello(pair.server(), &hello), SIGNET_OK);
  signet_gnutls_forget_client_hello(pair.server(), &hello);
  pair.Shake();
  EXPECT_EQ(hello.data, nullptr);
  EXPECT_EQ(hello.size, 0u);
}

// -- signatures: each scheme with each key

int Verify(const Der& certificate, uint16_t scheme, std::string_view message,
           const Der& signature) {
  return signet_gnutls_verify(nullptr, Bytes(certificate), scheme, Bytes(message),
                              Bytes(signature));
}

TEST(GnutlsSignatureTest, FitsItsSchemeAndItsKey) { ExpectEachSchemeFitsItsKey(Verify); }

TEST(GnutlsSignatureTest, IsMadeWithTheSchemesOfAKeyAndNoOther) {
  for (const TestKeyType type :
       {TestKeyType::kP256, TestKeyType::kP384, TestKeyType::kP521, TestKeyType::kRsa2048,
        TestKeyType::kRsaPss2048, TestKeyType::kEd25519, TestKeyType::kEd448}) {
    const TestKey key = TestKey::Generate(type);
    const std::string pem = key.private_pem();
    const gnutls_datum_t datum = signet_gnutls_datum(Bytes(pem));
    gnutls_privkey_t imported = nullptr;
    ASSERT_EQ(gnutls_privkey_init(&imported), 0);
    ASSERT_EQ(gnutls_privkey_import_x509_raw(imported, &datum, GNUTLS_X509_FMT_PEM, nullptr, 0), 0);
    std::vector<uint16_t> schemes(4);
    schemes.resize(signet_gnutls_schemes(imported, schemes.data(), schemes.size()));
    const auto sign = [&](uint16_t scheme, std::string_view message, Der& out) {
      size_t size = out.size();
      if (!signet_gnutls_sign(imported, scheme, Bytes(message), out.data(), &size)) return 0;
      out.resize(size);
      return 1;
    };
    ExpectSignsWith(type, key, schemes, sign, Verify);
    gnutls_privkey_deinit(imported);
  }
}

TEST(GnutlsSignatureTest, IsOfASchemeThatTls13SignsWith) {
  const Der certificate = SelfSigned(TestKey::Generate(TestKeyType::kRsa2048));
  for (const uint16_t scheme : {0x0401, 0x0201, 0x0203, 0x0000, 0xffff}) {
    EXPECT_EQ(Verify(certificate, scheme, "message", Der(256)), 0);
  }
}

// The salt must be as long as the hash (RFC 8446 section 4.2.3).
TEST(GnutlsSignatureTest, HasNoOtherSaltLength) {
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

TEST(GnutlsSignatureTest, NeedsACertificateThatIsWhole) {
  const TestKey key = TestKey::Generate(TestKeyType::kP256);
  const std::string_view message = "message";
  const Der signature = key.Sign(0x0403, Der(message.begin(), message.end()));
  Der certificate = SelfSigned(key);
  ASSERT_EQ(Verify(certificate, 0x0403, message, signature), 1);
  certificate.push_back(0);
  EXPECT_EQ(Verify(certificate, 0x0403, message, signature), 0);
  EXPECT_EQ(Verify({}, 0x0403, message, signature), 0);
}

// -- chains of servers

TEST(GnutlsServerCertsTest, CoverTheirNamesOnly) {
  ExpectCoversNamesOfTheLeafOnly([](signet_bytes leaf, const char* host) {
    return signet_gnutls_covers_host(nullptr, leaf, host);
  });
}

TEST(GnutlsServerCertsTest, AreToldByTheirFirstNames) {
  ExpectTellsTheFirstNames([](signet_bytes leaf, char* out, size_t size) {
    signet_gnutls_server_names(nullptr, leaf, out, size);
  });
}

TEST(GnutlsServerCertsTest, HaveChainsForServers) {
  ExpectChecksChainsOfServers([](const Der& anchor, const std::vector<Der>& chain) {
    gnutls_x509_trust_list_t list = nullptr;
    EXPECT_EQ(gnutls_x509_trust_list_init(&list, 0), 0);
    const gnutls_datum_t root = signet_gnutls_datum(Bytes(anchor));
    EXPECT_EQ(gnutls_x509_trust_list_add_trust_mem(list, &root, nullptr, GNUTLS_X509_FMT_DER, 0, 0),
              1);
    std::vector<signet_bytes> views;
    for (const Der& certificate : chain) views.push_back(Bytes(certificate));
    const char* why = "";
    const int good = signet_gnutls_check_server_chain(list, views.data(), views.size(), &why);
    EXPECT_EQ(good == 1, *why == '\0');
    gnutls_x509_trust_list_deinit(list, 1);
    return std::string(why);
  });
}

}  // namespace
}  // namespace signet::test
