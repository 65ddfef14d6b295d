// Keys and certificates for tests: a root, intermediates, leaves with every option that a check in
// Signet looks at. In memory; any failure throws std::runtime_error. Not for production code.
//
//   TestCa root = TestCa::Root("Test Root");
//   TestCa issuing = root.Intermediate("Test Issuing");
//   TestKey key = TestKey::Generate(TestKeyType::kP256);
//   Der leaf = issuing.Issue(key.public_key(), {.common_name = "laptop"});
//   std::vector<Der> chain = {leaf, issuing.certificate()};
#ifndef SIGNET_TESTS_SUPPORT_TEST_CA_H_
#define SIGNET_TESTS_SUPPORT_TEST_CA_H_

#include <openssl/evp.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace signet::test {

using Der = std::vector<uint8_t>;

enum class TestKeyType { kP256, kP384, kP521, kRsa2048, kRsaPss2048, kEd25519, kEd448 };

// A private key; copies share it.
class TestKey {
 public:
  static TestKey Generate(TestKeyType type);
  static TestKey FromPkcs8(std::span<const uint8_t> der);

  EVP_PKEY* get() const { return key_.get(); }
  Der public_key() const;  // SubjectPublicKeyInfo
  std::string private_pem() const;

  // A TLS 1.3 signature by SignatureScheme code point (RSA-PSS with salt = hash length).
  Der Sign(uint16_t scheme, std::span<const uint8_t> message) const;

 private:
  explicit TestKey(EVP_PKEY* key);
  std::shared_ptr<EVP_PKEY> key_;
};

// Extensions in OpenSSL's configuration form; an empty one is left out. Every member has an
// initializer, so that {.common_name = "laptop"} is no warning.
struct CertificateOptions {
  std::string common_name = "test";
  std::string organization = {};
  std::string key_usage = "critical,digitalSignature";
  std::string extended_key_usage = "clientAuth";
  std::string basic_constraints = {};  // "critical,CA:TRUE" for an authority
  std::string name_constraints = {};   // of an authority: "critical,permitted;email:.example.com"
  std::string subject_alt_names = {};  // "DNS:example.com,email:a@example.com"
  std::string comment = {};            // makes it as large as is wanted
  std::chrono::system_clock::time_point not_before =
      std::chrono::system_clock::now() - std::chrono::hours(1);
  std::chrono::system_clock::time_point not_after =
      std::chrono::system_clock::now() + std::chrono::hours(24);
  std::string digest = "SHA256";  // of the issuer's signature; not used by EdDSA keys
  bool rsa_pss = false;           // sign with RSA-PSS (an RSA issuer)
  bool no_end = false;            // not_after 99991231235959Z (RFC 5280 section 4.1.2.5)
  bool version_1 = false;         // an X.509v1 certificate, no extensions
};

// A certificate authority; copies share the key.
class TestCa {
 public:
  static TestCa Root(const std::string& common_name, TestKeyType type = TestKeyType::kP256);
  TestCa Intermediate(const std::string& common_name, TestKeyType type = TestKeyType::kP256) const;

  // One with a certificate made to measure, for example a bad one.
  static TestCa WithCertificate(TestKey key, Der certificate);

  // For any public key, also one in a token.
  Der Issue(std::span<const uint8_t> public_key, const CertificateOptions& options = {}) const;

  const Der& certificate() const { return certificate_; }
  // Its certificate revocation list, good until tomorrow.
  Der RevocationList(const std::vector<Der>& revoked) const;
  Der subject() const;  // DER of the name, as in certificate_authorities
  const TestKey& key() const { return key_; }

 private:
  TestCa(TestKey key, Der certificate);
  TestKey key_;
  Der certificate_;
};

Der SelfSigned(const TestKey& key, const CertificateOptions& options = {});

// PEM of certificates, in order.
std::string ToPem(const std::vector<Der>& certificates);
Der FromHex(const std::string& hex);

}  // namespace signet::test

#endif  // SIGNET_TESTS_SUPPORT_TEST_CA_H_
