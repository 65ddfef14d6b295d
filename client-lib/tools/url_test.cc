#include "client-lib/tools/url.h"

#include <gtest/gtest.h>

namespace signet::tools {
namespace {

TEST(ParseUrl, CutsIntoServerAndTarget) {
  std::optional<Url> url = ParseUrl("HTTPS://Example.COM:8443/A/b?c=d#e");
  ASSERT_TRUE(url.has_value());
  EXPECT_EQ(url->server, (Endpoint{"example.com", 8443}));
  EXPECT_EQ(url->target, "/A/b?c=d");
  EXPECT_EQ(url->Authority(), "example.com:8443");
  EXPECT_EQ(url->Origin(), "https://example.com:8443");
}

TEST(ParseUrl, FillsInWhatIsLeftOut) {
  for (const char* text :
       {"https://example.com", "https://example.com:443", "https://example.com/#x"}) {
    std::optional<Url> url = ParseUrl(text);
    ASSERT_TRUE(url.has_value()) << text;
    EXPECT_EQ(url->target, "/") << text;
    EXPECT_EQ(url->Authority(), "example.com") << text;
    EXPECT_EQ(url->Origin(), "https://example.com:443") << text;
  }
  EXPECT_EQ(ParseUrl("https://example.com?q")->target, "/?q");
}

TEST(ParseUrl, TakesAddresses) {
  EXPECT_EQ(ParseUrl("https://127.0.0.1:1/")->Origin(), "https://127.0.0.1:1");
  EXPECT_EQ(ParseUrl("https://[::1]/")->Authority(), "[::1]");
  EXPECT_EQ(ParseUrl("https://[::1]/")->server, (Endpoint{"::1", 443}));
}

TEST(ParseUrl, RefusesWhatIsNoHttpsUrl) {
  for (const char* text :
       {"", "https://", "https:///x", "http://example.com/", "example.com",
        "https://a:b@example.com/", "https://example.com:0/", "https://example.com:65536/",
        "https://example.com:1x/", "https://example.com:/", "https://[::1/", "https://[::1]x/",
        "https://[example.com]/", "https://exa mple.com/", "https://example.com/a b",
        "https://example.com/\r\nx: y", "https://example.com/\x80", "https://example.com\\@other/",
        "https://.example.com/"}) {
    EXPECT_FALSE(ParseUrl(text).has_value()) << text;
  }
}

TEST(NormalizePath, GivesOneFormToEachPath) {
  const std::pair<const char*, const char*> kCases[] = {
      {"/", "/"},         {"/login", "/login"},   {"/login?a=/b", "/login"},
      {"/a/", "/a/"},     {"/%6Cogin", "/login"}, {"/a%2fb", "/a%2Fb"},
      {"/./a", "/a"},     {"/a/../b", "/b"},      {"/a/%2e%2e/b", "/b"},
      {"/../../a", "/a"}, {"/a/.", "/a/"},        {"/a/..", "/"},
      {"/a/b/..", "/a/"}, {"//a", "//a"},         {"/a%c3%a4", "/a%C3%A4"},
      {"/...", "/..."},
  };
  for (const auto& [target, path] : kCases) EXPECT_EQ(NormalizePath(target), path) << target;
}

TEST(NormalizePath, IsStable) {
  for (const char* target : {"/%2525", "/a/%2E/b//..", "/%25%36%63ogin"}) {
    std::optional<std::string> once = NormalizePath(target);
    ASSERT_TRUE(once.has_value()) << target;
    EXPECT_EQ(NormalizePath(*once), once) << target;
  }
}

TEST(NormalizePath, RefusesWhatIsNoPath) {
  for (const char* target : {"", "*", "login", "?x", "/%", "/%4", "/%zz", "/%4g"}) {
    EXPECT_FALSE(NormalizePath(target).has_value()) << target;
  }
}

}  // namespace
}  // namespace signet::tools
