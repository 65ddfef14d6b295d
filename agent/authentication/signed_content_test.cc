#include "agent/authentication/signed_content.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509.h>

#include "agent/identity/openssl.h"

namespace signet::agent {
namespace {

using ::testing::HasSubstr;

wire::Bytes Verify(std::string_view context, size_t hash_size, size_t padding = 64) {
  wire::Bytes content(padding, ' ');
  content.insert(content.end(), context.begin(), context.end());
  content.push_back(0);
  content.insert(content.end(), hash_size, 7);
  return content;
}

constexpr std::string_view kClient = "TLS 1.3, client CertificateVerify";

struct RequestInfo {
  wire::Bytes info;
  wire::Bytes public_key;
};
RequestInfo MakeRequestInfo() {
  const OpenSslPtr<EVP_PKEY> key(EVP_EC_gen("P-256"));
  const OpenSslPtr<X509_REQ> request(X509_REQ_new());
  X509_REQ_set_pubkey(request.get(), key.get());
  X509_NAME* name = X509_REQ_get_subject_name(request.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const uint8_t*>("a"), -1,
                             -1, 0);
  return {EncodeDer(i2d_re_X509_REQ_tbs, request.get()), EncodeDer(i2d_PUBKEY, key.get())};
}

TEST(SignedContentTest, IsAClientsCertificateVerifyOfEitherHash) {
  EXPECT_EQ(ReadSignedContent(Verify(kClient, 32)).purpose, Purpose::kTlsClient);
  EXPECT_EQ(ReadSignedContent(Verify(kClient, 48)).purpose, Purpose::kTlsClient);
}

TEST(SignedContentTest, IsAServersExportedAuthenticator) {
  EXPECT_EQ(ReadSignedContent(Verify("Exported Authenticator", 32)).purpose, Purpose::kServer);
  EXPECT_EQ(ReadSignedContent(Verify("Exported Authenticator", 48)).purpose, Purpose::kServer);
}

TEST(SignedContentTest, IsARequestForItsKey) {
  const RequestInfo made = MakeRequestInfo();
  const SignedContent content = ReadSignedContent(made.info);
  EXPECT_EQ(content.purpose, Purpose::kCsr);
  EXPECT_EQ(content.public_key, made.public_key);
}

TEST(SignedContentTest, IsNothingElse) {
  const wire::Bytes info = MakeRequestInfo().info;
  wire::Bytes longer = info;
  longer.push_back(0);
  const wire::Bytes shorter(info.begin(), info.end() - 1);
  wire::Bytes tls12(200, 3);
  const struct {
    wire::Bytes content;
    const char* why;
  } kCases[] = {
      {{}, "nothing else is signed"},
      {wire::Bytes(64, ' '), "nothing else is signed"},
      {wire::Bytes(32, 9), "nothing else is signed"},
      {Verify(kClient, 32, 63), "nothing else is signed"},
      {Verify(kClient, 32, 65), "unknown context"},
      {Verify(kClient, 31), "neither SHA-256 nor SHA-384"},
      {Verify(kClient, 33), "neither SHA-256 nor SHA-384"},
      {Verify(kClient, 0), "neither SHA-256 nor SHA-384"},
      {Verify(kClient, 64), "neither SHA-256 nor SHA-384"},
      {Verify("TLS 1.3, server CertificateVerify", 32), "TLS server's handshake"},
      {Verify("Exported Authenticator", 20), "purpose server"},
      {Verify("TLS 1.4, client CertificateVerify", 32), "unknown context"},
      {longer, "nothing else is signed"},
      {shorter, "nothing else is signed"},
      {tls12, "let the server speak TLS 1.3"},
  };
  for (const auto& [content, why] : kCases) {
    const SignedContent read = ReadSignedContent(content);
    EXPECT_FALSE(read.purpose) << why;
    EXPECT_THAT(read.why_none, HasSubstr(why));
  }
}

}  // namespace
}  // namespace signet::agent
