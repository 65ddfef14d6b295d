// signet/openssl.h with BoringSSL: what differs from OpenSSL. The exchange as a whole is in
// tests/integration/embedding.
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/ec_key.h>
#include <openssl/x509v3.h>
#include <signet/openssl.h>

#include <string>
#include <string_view>
#include <vector>

namespace signet::test {
namespace {

using Bytes = std::vector<uint8_t>;
using Key = bssl::UniquePtr<EVP_PKEY>;

signet_bytes View(const Bytes& bytes) { return {bytes.data(), bytes.size()}; }

Key EcKey(int curve) {
  bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(curve));
  Key key(EVP_PKEY_new());
  EXPECT_TRUE(EC_KEY_generate_key(ec.get()) && EVP_PKEY_set1_EC_KEY(key.get(), ec.get()));
  return key;
}

Key RsaKey(int bits) {
  bssl::UniquePtr<RSA> rsa(RSA_new());
  bssl::UniquePtr<BIGNUM> exponent(BN_new());
  Key key(EVP_PKEY_new());
  EXPECT_TRUE(BN_set_word(exponent.get(), RSA_F4) &&
              RSA_generate_key_ex(rsa.get(), bits, exponent.get(), nullptr) &&
              EVP_PKEY_set1_RSA(key.get(), rsa.get()));
  return key;
}

Key Ed25519Key() {
  EVP_PKEY* key = nullptr;
  bssl::UniquePtr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nullptr));
  EXPECT_TRUE(EVP_PKEY_keygen_init(context.get()) && EVP_PKEY_keygen(context.get(), &key));
  return Key(key);
}

bssl::UniquePtr<X509> Certificate(const char* subject, EVP_PKEY* key, const char* issuer,
                                  EVP_PKEY* issuer_key, const EVP_MD* digest = EVP_sha256()) {
  bssl::UniquePtr<X509> certificate(X509_new());
  X509* x509 = certificate.get();
  const auto name = [](X509_NAME* out, const char* text) {
    X509_NAME_add_entry_by_txt(out, "CN", MBSTRING_ASC, reinterpret_cast<const uint8_t*>(text), -1,
                               -1, 0);
  };
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  name(X509_get_subject_name(x509), subject);
  name(X509_get_issuer_name(x509), issuer);
  X509_gmtime_adj(X509_get_notBefore(x509), -3600);
  X509_gmtime_adj(X509_get_notAfter(x509), 3600);
  X509_set_pubkey(x509, key);
  if (key == issuer_key) {
    X509_EXTENSION* authority =
        X509V3_EXT_nconf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE");
    X509_add_ext(x509, authority, -1);
    X509_EXTENSION_free(authority);
  }
  EXPECT_GT(X509_sign(x509, issuer_key, digest), 0);
  return certificate;
}

Bytes Der(X509* certificate) {
  uint8_t* data = nullptr;
  const int size = i2d_X509(certificate, &data);
  Bytes der(data, data + size);
  OPENSSL_free(data);
  return der;
}

Bytes Sign(EVP_PKEY* key, const EVP_MD* digest, std::string_view message, int salt = -1) {
  bssl::ScopedEVP_MD_CTX context;
  EVP_PKEY_CTX* parameters = nullptr;
  EXPECT_TRUE(EVP_DigestSignInit(context.get(), &parameters, digest, nullptr, key));
  if (EVP_PKEY_id(key) == EVP_PKEY_RSA) {
    EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt);
  }
  Bytes signature(512);
  size_t size = signature.size();
  EXPECT_TRUE(EVP_DigestSign(context.get(), signature.data(), &size,
                             reinterpret_cast<const uint8_t*>(message.data()), message.size()));
  signature.resize(size);
  return signature;
}

int Verify(EVP_PKEY* key, uint16_t scheme, std::string_view message, const Bytes& signature) {
  const Bytes certificate = Der(
      Certificate("x", key, "x", key, EVP_PKEY_id(key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256())
          .get());
  return signet_openssl_verify(nullptr, View(certificate), scheme,
                               {reinterpret_cast<const uint8_t*>(message.data()), message.size()},
                               View(signature));
}

TEST(BoringsslAdapterTest, VerifiesEachSchemeWithTheKeysThatFitIt) {
  struct {
    uint16_t scheme;
    Key key;
    const EVP_MD* digest;
  } const holders[] = {
      {0x0403, EcKey(NID_X9_62_prime256v1), EVP_sha256()},
      {0x0503, EcKey(NID_secp384r1), EVP_sha384()},
      {0x0603, EcKey(NID_secp521r1), EVP_sha512()},
      {0x0804, RsaKey(2048), EVP_sha256()},
      {0x0807, Ed25519Key(), nullptr},
  };
  for (const auto& signer : holders) {
    const Bytes signature = Sign(signer.key.get(), signer.digest, "message");
    for (const auto& holder : holders) {
      EXPECT_EQ(Verify(holder.key.get(), signer.scheme, "message", signature), &signer == &holder);
      EXPECT_EQ(Verify(signer.key.get(), holder.scheme, "message", signature), &signer == &holder);
    }
    EXPECT_EQ(Verify(signer.key.get(), signer.scheme, "another message", signature), 0);
    EXPECT_EQ(Verify(signer.key.get(), 0x0808, "message", signature), 0) << "ed448";
    EXPECT_EQ(Verify(signer.key.get(), 0x0809, "message", signature), 0) << "rsa_pss_pss_sha256";
  }
  EXPECT_EQ(ERR_peek_error(), 0u) << "the error queue is not ours";
}

TEST(BoringsslAdapterTest, SignsWithTheSchemesOfAKeyAndNoOther) {
  struct {
    Key key;
    std::vector<uint16_t> schemes;
  } const holders[] = {{EcKey(NID_X9_62_prime256v1), {0x0403}},
                       {EcKey(NID_secp384r1), {0x0503}},
                       {RsaKey(2048), {0x0804, 0x0805, 0x0806}},
                       {Ed25519Key(), {0x0807}}};
  for (const auto& holder : holders) {
    std::vector<uint16_t> schemes(4);
    schemes.resize(signet_openssl_schemes(holder.key.get(), schemes.data(), schemes.size()));
    EXPECT_EQ(schemes, holder.schemes);
    const Bytes message = {'a', 'b'};
    Bytes signature(EVP_PKEY_size(holder.key.get()));
    size_t size = signature.size();
    ASSERT_EQ(signet_openssl_sign(holder.key.get(), schemes.back(), View(message), signature.data(),
                                  &size),
              1);
    signature.resize(size);
    EXPECT_EQ(Verify(holder.key.get(), schemes.back(), "ab", signature), 1);
    EXPECT_EQ(signet_openssl_sign(holder.key.get(), 0x0603, View(message), signature.data(), &size),
              0);
  }
  EXPECT_EQ(ERR_peek_error(), 0u) << "the error queue is not ours";
}

TEST(BoringsslAdapterTest, RefusesAnotherSaltLength) {
  const Key key = RsaKey(2048);
  EXPECT_EQ(Verify(key.get(), 0x0804, "message", Sign(key.get(), EVP_sha256(), "message", 32)), 1);
  EXPECT_EQ(Verify(key.get(), 0x0804, "message", Sign(key.get(), EVP_sha256(), "message", 20)), 0);
}

class BoringsslChainTest : public ::testing::Test {
 protected:
  // Empty when the certificate is good, else why not.
  std::string Fault(X509* leaf, X509* root) {
    bssl::UniquePtr<X509_STORE> store(X509_STORE_new());
    X509_STORE_add_cert(store.get(), root);
    const Bytes der = Der(leaf);
    const signet_bytes chain = View(der);
    const char* why = nullptr;
    const int good = signet_openssl_verify_chain(store.get(), &chain, 1, &why);
    EXPECT_EQ(good == 1, why == nullptr);
    EXPECT_EQ(ERR_peek_error(), 0u);
    return why == nullptr ? "" : why;
  }

  const Key key_ = EcKey(NID_X9_62_prime256v1);
  const Key root_key_ = EcKey(NID_X9_62_prime256v1);
  const bssl::UniquePtr<X509> root_ = Certificate("Root", root_key_.get(), "Root", root_key_.get());
};

TEST_F(BoringsslChainTest, LeadsToAnAnchor) {
  EXPECT_EQ(Fault(Certificate("leaf", key_.get(), "Root", root_key_.get()).get(), root_.get()), "");
  EXPECT_NE(Fault(Certificate("leaf", key_.get(), "Root", key_.get()).get(), root_.get()), "");
}

// OpenSSL does this by security levels, which BoringSSL does not have.
TEST_F(BoringsslChainTest, MustBeStrong) {
  EXPECT_NE(Fault(Certificate("leaf", key_.get(), "Root", root_key_.get(), EVP_sha1()).get(),
                  root_.get()),
            "");
  const Key weak = RsaKey(1024);
  EXPECT_NE(Fault(Certificate("leaf", weak.get(), "Root", root_key_.get()).get(), root_.get()), "");
  const bssl::UniquePtr<X509> weak_root = Certificate("Root", weak.get(), "Root", weak.get());
  EXPECT_NE(Fault(Certificate("leaf", key_.get(), "Root", weak.get()).get(), weak_root.get()), "");
}

TEST_F(BoringsslChainTest, MayHaveAnAnchorWithAnOldSignature) {
  const bssl::UniquePtr<X509> old =
      Certificate("Root", root_key_.get(), "Root", root_key_.get(), EVP_sha1());
  EXPECT_EQ(Fault(Certificate("leaf", key_.get(), "Root", root_key_.get()).get(), old.get()), "");
}

TEST_F(BoringsslChainTest, OfAServerIsForItsNames) {
  const auto leaf = [&](const char* names, const char* usage) {
    bssl::UniquePtr<X509> certificate =
        Certificate("leaf.example", key_.get(), "Root", root_key_.get());
    for (const auto& [nid, value] :
         {std::pair(NID_subject_alt_name, names), std::pair(NID_ext_key_usage, usage)}) {
      X509_EXTENSION* extension = X509V3_EXT_nconf_nid(nullptr, nullptr, nid, value);
      X509_add_ext(certificate.get(), extension, -1);
      X509_EXTENSION_free(extension);
    }
    X509_sign(certificate.get(), root_key_.get(), EVP_sha256());
    return Der(certificate.get());
  };
  bssl::UniquePtr<X509_STORE> store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), root_.get());
  signet_openssl_trust trust = {store.get(), nullptr, nullptr};
  const Bytes good = leaf("DNS:a.example,DNS:*.b.example,IP:192.0.2.1", "serverAuth");
  const Bytes of_client = leaf("DNS:a.example", "clientAuth");
  const signet_bytes good_chain = View(good), bad_chain = View(of_client);
  EXPECT_EQ(signet_openssl_check_server_chain(&trust, &good_chain, 1, nullptr), 1);
  EXPECT_EQ(signet_openssl_check_server_chain(&trust, &bad_chain, 1, nullptr), 0);
  for (const char* host : {"a.example", "www.b.example", "192.0.2.1"}) {
    EXPECT_EQ(signet_openssl_covers_host(&trust, View(good), host), 1) << host;
  }
  for (const char* host : {"leaf.example", "b.example", ".b.example", "x.y.b.example", "", "::1"}) {
    EXPECT_EQ(signet_openssl_covers_host(&trust, View(good), host), 0) << host;
  }
  char names[64];
  signet_openssl_server_names(&trust, View(good), names, sizeof names);
  EXPECT_STREQ(names, "a.example, *.b.example");
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace signet::test
