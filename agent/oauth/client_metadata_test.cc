#include "agent/oauth/client_metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_ca.h"

namespace signet::oauth {

void PrintTo(const SubjectName& name, std::ostream* out) {
  *out << FieldOf(name.type) << '=' << name.value;
}

namespace {

using test::Der;
using test::TestCa;
using test::TestKey;
using test::TestKeyType;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<Der> ChainWith(const test::CertificateOptions& options) {
  static const TestCa root = TestCa::Root("Root");
  static const TestKey key = TestKey::Generate(TestKeyType::kP256);
  return {root.Issue(key.public_key(), options), root.certificate()};
}

std::vector<Der> Named() {
  return ChainWith({.common_name = "laptop, \"no. 7\"",
                    .organization = "Exämple",
                    .subject_alt_names = "DNS:laptop.example,URI:spiffe://example/laptop,"
                                         "IP:192.0.2.7,IP:2001:db8::7,email:a@example.com,"
                                         "DNS:other.example"});
}

TEST(SubjectNames, AreAllThatTheCertificateHas) {
  EXPECT_THAT(SubjectNamesOf(Named()[0]),
              ElementsAre(SubjectName{SubjectNameType::kDn, "CN=laptop\\, \\\"no. 7\\\",O=Exämple"},
                          SubjectName{SubjectNameType::kDns, "laptop.example"},
                          SubjectName{SubjectNameType::kUri, "spiffe://example/laptop"},
                          SubjectName{SubjectNameType::kIp, "192.0.2.7"},
                          SubjectName{SubjectNameType::kIp, "2001:db8::7"},
                          SubjectName{SubjectNameType::kEmail, "a@example.com"},
                          SubjectName{SubjectNameType::kDns, "other.example"}));
}

TEST(SubjectNames, AreNoneOfWhatIsNoCertificate) {
  EXPECT_THAT(SubjectNamesOf(Der{1, 2}), IsEmpty());
}

TEST(TlsClientAuthMetadata, NamesTheClientByOneField) {
  for (const SubjectName& name : SubjectNamesOf(Named()[0])) {
    const auto metadata = TlsClientAuthMetadata(Named(), {name});
    ASSERT_TRUE(metadata.ok()) << metadata.status();
    EXPECT_EQ(*metadata, (Json{{"token_endpoint_auth_method", "tls_client_auth"},
                               {std::string(FieldOf(name.type)), name.value},
                               {"tls_client_certificate_bound_access_tokens", true}}));
  }
}

TEST(TlsClientAuthMetadata, RefusesAnyNumberOfNamesButOneAndSaysWhichThereAre) {
  const SubjectName dns{SubjectNameType::kDns, "laptop.example"};
  const SubjectName ip{SubjectNameType::kIp, "192.0.2.7"};
  for (const std::vector<SubjectName>& names :
       {std::vector<SubjectName>{}, {dns, ip}, {dns, {SubjectNameType::kDns, "other.example"}}}) {
    const auto metadata = TlsClientAuthMetadata(Named(), names);
    EXPECT_EQ(metadata.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(metadata.status().message(),
                AllOf(HasSubstr("exactly one"),
                      HasSubstr("tls_client_auth_san_uri \"spiffe://example/laptop\"")));
  }
}

TEST(TlsClientAuthMetadata, RefusesANameThatTheCertificateHasNot) {
  const auto metadata =
      TlsClientAuthMetadata(Named(), {{SubjectNameType::kDns, "192.0.2.7"}});  // an IP there
  EXPECT_THAT(metadata.status().message(), HasSubstr("is not in the certificate"));
}

TEST(SelfSignedMetadata, CarriesTheCertificate) {
  const std::vector<Der> chain = ChainWith({});
  const auto metadata = SelfSignedMetadata({chain});
  ASSERT_TRUE(metadata.ok()) << metadata.status();
  EXPECT_EQ(*metadata, (Json{{"token_endpoint_auth_method", "self_signed_tls_client_auth"},
                             {"jwks", {{"keys", Json::array({*ToJwk(chain)})}}},
                             {"tls_client_certificate_bound_access_tokens", true}}));
}

}  // namespace
}  // namespace signet::oauth
