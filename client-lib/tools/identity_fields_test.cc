#include "client-lib/tools/identity_fields.h"

#include <gtest/gtest.h>

namespace signet::tools {
namespace {

ClientCertificate Certificate() {
  return {"CN=J\xc3\xa4ne \"J\"", "CN=CA", "2A", "00ff", {{1, 2, 3, 4}, {255}, {0, 0, 0}}};
}

TEST(ClientCertField, IsAByteSequence) {
  EXPECT_EQ(ClientCertField(Certificate()), (Field{"client-cert", ":AQIDBA==:"}));
}

TEST(ClientCertChainField, IsAListWithoutTheLeaf) {
  EXPECT_EQ(ClientCertChainField(Certificate()), (Field{"client-cert-chain", ":/w==:, :AAAA:"}));
}

TEST(SignetIdentitiesField, IsJsonInAscii) {
  const ClientCertificate certificate = Certificate();
  EXPECT_EQ(
      SignetIdentitiesField({{"user", &certificate}}, {{"device", {"timeout", "too\nlate"}}}),
      (Field{"signet-identities",
             R"({"identities":[{"certificate":"user","subject":"CN=J\u00e4ne \"J\"",)"
             R"("issuer":"CN=CA","serial":"2A","sha256":"00ff"}],)"
             R"("missing":[{"certificate":"device","error":"timeout","detail":"too\nlate"}]})"}));
  EXPECT_EQ(SignetIdentitiesField({}, {}).value, R"({"identities":[],"missing":[]})");
}

TEST(SignetIdentitiesField, SurvivesNamesThatAreNotUtf8) {
  ClientCertificate certificate = Certificate();
  certificate.subject = "CN=\xff\r\n";
  EXPECT_TRUE(IsFieldValue(SignetIdentitiesField({{"user", &certificate}}, {}).value));
}

}  // namespace
}  // namespace signet::tools
