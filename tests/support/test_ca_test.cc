// The test CA itself: what it makes is what OpenSSL's own verification accepts.
#include "tests/support/test_ca.h"

#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>

namespace signet::test {
namespace {

struct Freed {
  void operator()(X509* x) const { X509_free(x); }
  void operator()(X509_STORE* x) const { X509_STORE_free(x); }
  void operator()(X509_STORE_CTX* x) const { X509_STORE_CTX_free(x); }
};

std::unique_ptr<X509, Freed> Parse(const Der& der) {
  const uint8_t* next = der.data();
  return std::unique_ptr<X509, Freed>(d2i_X509(nullptr, &next, static_cast<long>(der.size())));
}

int Verify(const Der& leaf, const TestCa& issuing, const TestCa& root) {
  auto leaf_certificate = Parse(leaf), issuing_certificate = Parse(issuing.certificate()),
       root_certificate = Parse(root.certificate());
  std::unique_ptr<X509_STORE, Freed> store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), root_certificate.get());
  STACK_OF(X509)* untrusted = sk_X509_new_null();
  sk_X509_push(untrusted, issuing_certificate.get());
  std::unique_ptr<X509_STORE_CTX, Freed> context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), leaf_certificate.get(), untrusted);
  X509_STORE_CTX_set_default(context.get(), "ssl_client");
  X509_verify_cert(context.get());
  sk_X509_free(untrusted);
  return X509_STORE_CTX_get_error(context.get());
}

TEST(TestCa, MakesAChainThatVerifies) {
  const TestCa root = TestCa::Root("Root");
  const TestCa issuing = root.Intermediate("Issuing", TestKeyType::kP384);
  for (TestKeyType type : {TestKeyType::kP256, TestKeyType::kEd25519}) {
    const TestKey key = TestKey::Generate(type);
    EXPECT_EQ(Verify(issuing.Issue(key.public_key()), issuing, root), X509_V_OK);
  }
}

TEST(TestCa, HonoursItsOptions) {
  const TestCa root = TestCa::Root("Root");
  const TestCa issuing = root.Intermediate("Issuing");
  const TestKey key = TestKey::Generate(TestKeyType::kP256);
  CertificateOptions expired;
  expired.not_after = std::chrono::system_clock::now() - std::chrono::minutes(1);
  EXPECT_EQ(Verify(issuing.Issue(key.public_key(), expired), issuing, root),
            X509_V_ERR_CERT_HAS_EXPIRED);
  CertificateOptions server;
  server.extended_key_usage = "serverAuth";
  EXPECT_EQ(Verify(issuing.Issue(key.public_key(), server), issuing, root),
            X509_V_ERR_INVALID_PURPOSE);
}

TEST(TestCa, SignsWithRsaPss) {
  const TestCa root = TestCa::Root("Root", TestKeyType::kRsa2048);
  const TestKey key = TestKey::Generate(TestKeyType::kP256);
  const Der leaf = root.Issue(key.public_key(), {.rsa_pss = true});
  int digest = 0, algorithm = 0;
  ASSERT_EQ(X509_get_signature_info(Parse(leaf).get(), &digest, &algorithm, nullptr, nullptr), 1);
  EXPECT_EQ(digest, NID_sha256);
  EXPECT_EQ(algorithm, NID_rsassaPss);
}

}  // namespace
}  // namespace signet::test
