#include "agent/oauth/token_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "agent/oauth/fake_http.h"

namespace signet::oauth {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

constexpr char kTokenUrl[] = "https://login.example/token";
constexpr char kLookUrl[] = "https://login.example/introspect";
constexpr char kDeviceUrl[] = "https://login.example/device";
constexpr char kThumbprint[] = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";

std::string Jwt(const std::string& claims, const std::string& header = R"({"alg":"ES256"})") {
  return absl::WebSafeBase64Escape(header) + "." + absl::WebSafeBase64Escape(claims) + ".c2ln";
}

class TokenClientTest : public ::testing::Test {
 protected:
  TokenClientTest() {
    http_.documents["https://login.example/.well-known/oauth-authorization-server"] = {
        200, R"({"issuer": "https://login.example",
                 "token_endpoint": "https://login.example/token",
                 "device_authorization_endpoint": "https://login.example/device",
                 "introspection_endpoint": "https://login.example/introspect"})"};
    server_.emplace(*ServerMetadata::Discover(http_, "https://login.example"));
    client_.emplace(http_, *server_, "laptop");
  }

  void Answer(const char* url, FakeHttp::Answer answer) {
    http_.posted[url].push_back(std::move(answer));
  }
  void Fail(const char* error) {
    Answer(kTokenUrl, HttpResponse{400, std::string(R"({"error":")") + error + "\"}"});
  }
  absl::StatusOr<Token> Device() {
    return client_->Device(
        {}, [this](const DeviceQuestion& question) { asked_ = question; },
        [this](seconds pause) { pauses_.push_back(pause); });
  }
  absl::StatusOr<Evidence> Check(const std::string& access) {
    return client_->Check(access, kThumbprint);
  }

  FakeHttp http_;
  std::optional<ServerMetadata> server_;
  std::optional<TokenClient> client_;
  DeviceQuestion asked_;
  std::vector<seconds> pauses_;
};

constexpr char kGood[] =
    R"({"access_token":"abc","token_type":"bearer","expires_in":60,"refresh_token":"r2"})";

TEST_F(TokenClientTest, AsksWithItsCredentials) {
  Answer(kTokenUrl, HttpResponse{200, kGood});
  const auto token = client_->ClientCredentials({{"a", "b"}, {"https://api.example/"}});
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->access, "abc");
  EXPECT_EQ(token->lifetime, 60);
  EXPECT_EQ(token->refresh, "r2");
  EXPECT_THAT(http_.posts,
              ElementsAre(Pair(kTokenUrl,
                               "client_id=laptop&grant_type=client_credentials&scope=a%20b"
                               "&resource=https%3A%2F%2Fapi.example%2F")));
}

TEST_F(TokenClientTest, Refreshes) {
  Answer(kTokenUrl, HttpResponse{200, kGood});
  EXPECT_TRUE(client_->Refresh("r1", {}).ok());
  EXPECT_THAT(
      http_.posts,
      ElementsAre(Pair(kTokenUrl, "client_id=laptop&grant_type=refresh_token&refresh_token=r1")));
}

TEST_F(TokenClientTest, SaysInTheServersWordsWhyItGotNone) {
  Answer(kTokenUrl, HttpResponse{401, R"({"error":"invalid_client","error_description":"who?"})"});
  EXPECT_THAT(client_->ClientCredentials({}).status().message(),
              AllOf(HasSubstr("invalid_client: who?"), HasSubstr("signet oauth metadata")));
}

TEST_F(TokenClientTest, RefusesAnswersThatAreNoTokenAndTellsNothingOfThem) {
  for (const char* body :
       {"", "[]", "7", "secret", R"({"access_token":"secret"})",
        R"({"access_token":7,"token_type":"Bearer"})",
        R"({"access_token":"","token_type":"Bearer"})",
        R"({"access_token":"secret\nX: y","token_type":"Bearer"})",
        R"({"access_token":"secret","token_type":"DPoP"})",
        R"({"access_token":"secret","token_type":"Bearer","refresh_token":"a b"})"}) {
    Answer(kTokenUrl, HttpResponse{200, body});
    const auto token = client_->ClientCredentials({});
    EXPECT_FALSE(token.ok()) << body;
    EXPECT_THAT(token.status().message(), Not(HasSubstr("secret"))) << body;
  }
  for (const char* body : {"", "[]", "secret", R"({"error":7})"}) {
    Answer(kTokenUrl, HttpResponse{500, body});
    const auto token = client_->ClientCredentials({});
    EXPECT_THAT(token.status().message(),
                AllOf(HasSubstr("HTTP status 500"), Not(HasSubstr("secret"))));
  }
}

TEST_F(TokenClientTest, BelievesAJwtThatIsBoundToTheCertificate) {
  const auto evidence = Check(Jwt(std::string(R"({"cnf":{"x5t#S256":")") + kThumbprint + "\"}}"));
  ASSERT_TRUE(evidence.ok()) << evidence.status();
  EXPECT_EQ(*evidence, Evidence::kClaims);
  EXPECT_THAT(http_.posts, IsEmpty());
}

TEST_F(TokenClientTest, RefusesAJwtThatIsBoundToNoneOrAnother) {
  for (const char* claims : {"{}", R"({"cnf":{}})", R"({"cnf":{"jkt":"x"}})", R"({"cnf":7})",
                             R"({"cnf":{"x5t#S256":7}})", R"({"x5t#S256":"x"})"}) {
    EXPECT_THAT(Check(Jwt(claims)).status().message(), HasSubstr("bound to no certificate"))
        << claims;
  }
  EXPECT_THAT(Check(Jwt(R"({"cnf":{"x5t#S256":"x"}})")).status().message(),
              HasSubstr("bound to another certificate"));
  EXPECT_THAT(http_.posts, IsEmpty());
}

TEST_F(TokenClientTest, AsksTheServerAboutOpaqueTokens) {
  const std::string bound =
      std::string(R"({"active":true,"cnf":{"x5t#S256":")") + kThumbprint + "\"}}";
  for (const std::string& opaque :
       {std::string("abc"), std::string("a.b.c"), Jwt("[]"), Jwt("{}", "{}"), Jwt("{}") + ".x.y"}) {
    Answer(kLookUrl, HttpResponse{200, bound});
    const auto evidence = Check(opaque);
    ASSERT_TRUE(evidence.ok()) << evidence.status();
    EXPECT_EQ(*evidence, Evidence::kIntrospection) << opaque;
  }
  EXPECT_EQ(http_.posts[0].second, "client_id=laptop&token=abc&token_type_hint=access_token");
}

TEST_F(TokenClientTest, RefusesAnOpaqueTokenThatTheServerSaysIsNotBoundToTheCertificate) {
  Answer(kLookUrl, HttpResponse{200, R"({"active":true})"});
  EXPECT_THAT(Check("abc").status().message(), HasSubstr("bound to no certificate"));
  Answer(kLookUrl, HttpResponse{200, R"({"active":true,"cnf":{"x5t#S256":"x"}})"});
  EXPECT_THAT(Check("abc").status().message(), HasSubstr("bound to another certificate"));
}

TEST_F(TokenClientTest, HasNoEvidenceWhereTheServerDoesNotTell) {
  for (const HttpResponse& response :
       {HttpResponse{200, R"({"active":false})"}, HttpResponse{403, R"({"error":"access_denied"})"},
        HttpResponse{200, "nonsense"}, HttpResponse{200, R"({"active":"true"})"}}) {
    Answer(kLookUrl, response);
    const auto evidence = Check("abc");
    ASSERT_TRUE(evidence.ok()) << evidence.status();
    EXPECT_EQ(*evidence, Evidence::kNone) << response.body;
  }
}

constexpr char kPending[] = R"({"device_code":"d","user_code":"WDJB-MJHT",
    "verification_uri":"https://login.example/go","expires_in":60,"interval":7})";

TEST_F(TokenClientTest, WaitsUntilAPersonAgrees) {
  Answer(kDeviceUrl, HttpResponse{200, kPending});
  Fail("authorization_pending");
  Fail("slow_down");
  Answer(kTokenUrl, absl::DeadlineExceededError("no answer"));
  Answer(kTokenUrl, HttpResponse{200, kGood});
  const auto token = Device();
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(asked_.uri, "https://login.example/go");
  EXPECT_EQ(asked_.code, "WDJB-MJHT");
  EXPECT_THAT(pauses_, ElementsAre(seconds(7), seconds(7), seconds(12), seconds(24)));
  EXPECT_THAT(http_.posts[1].second,
              HasSubstr("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&"
                        "device_code=d"));
}

TEST_F(TokenClientTest, GivesUpWhenNobodyAgrees) {
  Answer(kDeviceUrl, HttpResponse{200, kPending});
  for (int i = 0; i < 100; ++i) Fail("authorization_pending");
  EXPECT_THAT(Device().status().message(), HasSubstr("nobody agreed in time"));
  EXPECT_EQ(pauses_.size(), 9u);  // 60 s, every 7 s
  Answer(kDeviceUrl, HttpResponse{200, kPending});
  http_.posted[kTokenUrl].clear();
  Fail("expired_token");
  EXPECT_THAT(Device().status().message(), HasSubstr("nobody agreed in time"));
}

TEST_F(TokenClientTest, EndsWhenAPersonDisagrees) {
  Answer(kDeviceUrl, HttpResponse{200, kPending});
  Fail("access_denied");
  EXPECT_THAT(Device().status().message(), HasSubstr("did not agree"));
}

TEST_F(TokenClientTest, EndsWhenTheServerRefusesOrIsGone) {
  Answer(kDeviceUrl, HttpResponse{200, kPending});
  Fail("invalid_client");
  EXPECT_THAT(Device().status().message(), HasSubstr("invalid_client"));
  Answer(kDeviceUrl, HttpResponse{200, kPending});
  Answer(kTokenUrl, absl::UnknownError("no route"));
  EXPECT_EQ(Device().status().message(), "no route");
  Answer(kDeviceUrl, HttpResponse{400, R"({"error":"unauthorized_client"})"});
  EXPECT_THAT(Device().status().message(), HasSubstr("unauthorized_client"));
}

TEST_F(TokenClientTest, AsksNobodyWithAnAnswerThatLacksSomething) {
  for (const char* body :
       {"{}", "[]", R"({"user_code":"W","verification_uri":"https://a/","expires_in":60})",
        R"({"device_code":"d","verification_uri":"https://a/","expires_in":60})",
        R"({"device_code":"d","user_code":"W","expires_in":60})",
        R"({"device_code":"d","user_code":"W","verification_uri":"https://a/"})",
        R"({"device_code":"d","user_code":"W","verification_uri":"https://a/","expires_in":-1})"}) {
    Answer(kDeviceUrl, HttpResponse{200, body});
    EXPECT_THAT(Device().status().message(), HasSubstr("RFC 8628")) << body;
    EXPECT_EQ(asked_.code, "");
  }
}

}  // namespace
}  // namespace signet::oauth
