#include "agent/oauth/server_metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/oauth/fake_http.h"

namespace signet::oauth {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kIssuer[] = "https://login.example";
constexpr char kOauth[] = "https://login.example/.well-known/oauth-authorization-server";
constexpr char kOpenId[] = "https://login.example/.well-known/openid-configuration";

TEST(ServerMetadata, IsLookedForAsOauthServerAndThenAsOpenIdProvider) {
  FakeHttp http;
  http.documents[kOpenId] = {200, R"({"issuer": "https://login.example"})"};
  EXPECT_TRUE(ServerMetadata::Discover(http, kIssuer).ok());
  EXPECT_THAT(http.got, ElementsAre(kOauth, kOpenId));
}

TEST(ServerMetadata, PrefersTheMutualTlsAlias) {
  FakeHttp http;
  http.documents[kOauth] = {200, R"({"issuer": "https://login.example",
      "token_endpoint": "https://login.example/token",
      "introspection_endpoint": "https://login.example/introspect",
      "mtls_endpoint_aliases": {"token_endpoint": "https://mtls.login.example/token"}})"};
  const auto server = ServerMetadata::Discover(http, kIssuer);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(*server->Endpoint("token_endpoint"), "https://mtls.login.example/token");
  EXPECT_EQ(*server->Endpoint("introspection_endpoint"), "https://login.example/introspect");
  EXPECT_THAT(server->Endpoint("device_authorization_endpoint").status().message(),
              HasSubstr("has no device_authorization_endpoint"));
}

TEST(ServerMetadata, OfAnotherIssuerIsRefused) {
  for (const char* issuer :
       {"\"https://evil.example\"", "\"https://login.example/\"", "\"HTTPS://login.example\"", "7",
        "null", "[\"https://login.example\"]"}) {
    FakeHttp http;
    http.documents[kOauth] = {200, std::string(R"({"issuer": )") + issuer + "}"};
    http.documents[kOpenId] = {200, R"({"issuer": "https://login.example"})"};
    EXPECT_THAT(ServerMetadata::Discover(http, kIssuer).status().message(),
                HasSubstr("not of \"https://login.example\""))
        << issuer;
  }
}

TEST(ServerMetadata, ThatIsNoObjectIsRefused) {
  for (const char* document : {"", "[]", "7", "{\"issuer\": \"https://login.example\"", "\xff"}) {
    FakeHttp http;
    http.documents[kOauth] = {200, document};
    EXPECT_THAT(ServerMetadata::Discover(http, kIssuer).status().message(),
                HasSubstr("no JSON object"))
        << document;
  }
}

TEST(ServerMetadata, NowhereToBeFoundNamesBothPlaces) {
  FakeHttp http;
  EXPECT_THAT(ServerMetadata::Discover(http, kIssuer).status().message(),
              AllOf(HasSubstr(kOauth), HasSubstr(kOpenId)));
}

TEST(ServerMetadata, AnEndpointWithoutTlsIsRefused) {
  for (const char* url : {"\"http://login.example/token\"", "\"ftp://login.example/\"", "\"\""}) {
    FakeHttp http;
    http.documents[kOauth] = {200, std::string(R"({"issuer": "https://login.example",
        "mtls_endpoint_aliases": {"token_endpoint": )") +
                                       url + "}}"};
    const auto server = ServerMetadata::Discover(http, kIssuer);
    ASSERT_TRUE(server.ok());
    EXPECT_FALSE(server->Endpoint("token_endpoint").ok()) << url;
  }
}

TEST(ServerMetadata, WithAliasesThatAreNoneFallsBack) {
  for (const char* aliases : {"7", "null", "[]", "{}", "{\"token_endpoint\": 7}"}) {
    FakeHttp http;
    http.documents[kOauth] = {200, std::string(R"({"issuer": "https://login.example",
        "token_endpoint": "https://login.example/token", "mtls_endpoint_aliases": )") +
                                       aliases + "}"};
    const auto server = ServerMetadata::Discover(http, kIssuer);
    ASSERT_TRUE(server.ok());
    EXPECT_EQ(*server->Endpoint("token_endpoint"), "https://login.example/token") << aliases;
  }
}

}  // namespace
}  // namespace signet::oauth
