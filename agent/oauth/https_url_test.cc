#include "agent/oauth/https_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace signet::oauth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// RFC 8414 section 3.1 and OpenID Connect Discovery 1.0 section 4.1.
TEST(MetadataUrls, AreThoseOfBothSpecifications) {
  EXPECT_THAT(*MetadataUrls("https://example.com"),
              ElementsAre("https://example.com/.well-known/oauth-authorization-server",
                          "https://example.com/.well-known/openid-configuration"));
  EXPECT_THAT(*MetadataUrls("https://example.com:8443/issuer1/"),
              ElementsAre("https://example.com:8443/.well-known/oauth-authorization-server/issuer1",
                          "https://example.com:8443/issuer1/.well-known/openid-configuration"));
}

TEST(MetadataUrls, RefusesWhatIsNoIssuer) {
  const struct {
    const char* issuer;
    const char* why;
  } kCases[] = {
      {"http://example.com", "https://"},        {"example.com", "https://"},
      {"file:///etc/passwd", "https://"},        {"", "https://"},
      {"HTTPS://example.com", "https://"},       {"https://", "URL"},
      {"https://user@example.com", "user"},      {"https://:secret@example.com", "user"},
      {"https://example.com/#part", "fragment"}, {"https://example.com/?a=b", "query"},
      {"https://example.com/?", "query"},        {"https://exa mple.com", "character"},
      {"https://example.com/\n", "character"},   {"https://ex\xc3\xa4mple.com", "character"},
  };
  for (const auto& of : kCases) {
    const auto urls = MetadataUrls(of.issuer);
    EXPECT_EQ(urls.status().code(), absl::StatusCode::kInvalidArgument) << of.issuer;
    EXPECT_THAT(urls.status().message(), HasSubstr(of.why)) << of.issuer;
  }
  const std::string with_nul("https://a.example\0.b.example", 28);
  EXPECT_FALSE(CheckHttpsUrl(with_nul).ok());
}

TEST(Encode, EscapesAllButLettersAndDigits) {
  EXPECT_EQ(Encode({{"scope", "a b"}, {"token", "x&y=z+ä"}, {"empty", ""}}),
            "scope=a%20b&token=x%26y%3Dz%2B%C3%A4&empty=");
}

}  // namespace
}  // namespace signet::oauth
