#include "agent/policy/origin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace signet::agent {
namespace {

using ::testing::HasSubstr;

TEST(Origin, HasOneSpelling) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"https://example.com", "https://example.com:443"},
      {"https://example.com:443", "https://example.com:443"},
      {"HTTPS://Example.COM:8443", "https://example.com:8443"},
      {"https://xn--bcher-kva.example", "https://xn--bcher-kva.example:443"},
      {"https://a_b.example:1", "https://a_b.example:1"},
      {"https://localhost:65535", "https://localhost:65535"},
      {"https://127.0.0.1", "https://127.0.0.1:443"},
      {"https://[::1]:8443", "https://[::1]:8443"},
      {"https://[0:0:0:0:0:0:0:1]", "https://[::1]:443"},
      {"https://[2001:DB8::A]", "https://[2001:db8::a]:443"},
      {"https://[::ffff:1.2.3.4]", "https://[::ffff:1.2.3.4]:443"},
  };
  for (const auto& [text, normal] : cases) {
    const absl::StatusOr<Origin> origin = ParseOrigin(text);
    ASSERT_TRUE(origin.ok()) << text << ": " << origin.status();
    EXPECT_EQ(origin->ToString(), normal);
    EXPECT_EQ(*ParseOrigin(origin->ToString()), *origin);
  }
}

TEST(Origin, RefusesWhatIsNone) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "scheme"},
      {"example.com", "scheme"},
      {"http://example.com", "scheme"},
      {"https:/example.com", "scheme"},
      {"https://", "host is missing"},
      {"https://:443", "host is missing"},
      {"https://user@example.com", "user name"},
      {"https://user:pw@example.com", "user name"},
      {"https://example.com/", "path"},
      {"https://example.com/login", "path"},
      {"https://example.com?q", "path"},
      {"https://example.com#f", "path"},
      {"https://example.com\\evil", "path"},
      {"https://example.com:", "port"},
      {"https://example.com:0", "port"},
      {"https://example.com:65536", "port"},
      {"https://example.com:443443443443", "port"},
      {"https://example.com:-1", "port"},
      {"https://example.com:+443", "port"},
      {"https://example.com:*", "port"},
      {"https://example.com:443:443", "port"},
      {"https://example.com.", "empty label"},
      {"https://.example.com", "empty label"},
      {"https://a..b", "empty label"},
      {"https://*.example.com", "character"},
      {"https://exa mple.com", "printable"},
      {"https://example.com\n", "printable"},
      {std::string("https://a\0b", 11), "printable"},
      {"https://b\xc3\xbc"
       "cher.example",
       "xn--"},
      {"https://a%2eb", "character"},
      {"https://127.0.0.01", "IPv4"},
      {"https://127.1", "IPv4"},
      {"https://2130706433", "IPv4"},
      {"https://0x7f.1", "IPv4"},
      {"https://0x7f000001", "IPv4"},
      {"https://[::1", "]"},
      {"https://[]", "IPv6"},
      {"https://[fe80::1%eth0]", "IPv6"},
      {"https://[::1]x", "port"},
      {"https://" + std::string(256, 'a'), "too long"},
  };
  for (const auto& [text, why] : cases) {
    const absl::StatusOr<Origin> origin = ParseOrigin(text);
    ASSERT_FALSE(origin.ok()) << text;
    EXPECT_THAT(std::string(origin.status().message()), HasSubstr(why)) << text;
    EXPECT_THAT(std::string(origin.status().message()), HasSubstr("write https://host"));
  }
}

TEST(Origin, NeverPrintsWhatATerminalWouldObey) {
  const std::string message(ParseOrigin("https://\x1b[2J\xc2\x9b").status().message());
  for (unsigned char c : message) EXPECT_TRUE(c >= 0x20 && c < 0x7f);
  EXPECT_LT(ParseOrigin(std::string(100'000, 'x')).status().message().size(), 300u);
}

struct PatternCase {
  std::string pattern;
  std::string origin;
  bool matches;
};

TEST(OriginPattern, MatchesHostAndPort) {
  const std::vector<PatternCase> cases = {
      {"https://example.com", "https://example.com", true},
      {"https://example.com", "https://example.com:8443", false},
      {"https://EXAMPLE.com:8443", "https://example.com:8443", true},
      {"https://example.com:*", "https://example.com:8443", true},
      {"https://*.example.com", "https://a.example.com", true},
      {"https://*.example.com", "https://a.b.example.com", true},
      {"https://*.example.com", "https://example.com", false},
      {"https://*.example.com", "https://example.com.evil.net", false},
      {"https://*.example.com", "https://evilexample.com", false},
      {"https://*example.com", "https://example.com", true},
      {"https://app-*.example.com", "https://app-1.example.com", true},
      {"https://app-*.example.com", "https://app1.example.com", false},
      {"https://a*b*c", "https://axxbyybzc", true},
      {"https://a*b*c", "https://axxbyybzd", false},
      {"https://*", "https://anything.example", true},
      {"https://*", "https://[::1]", true},
      {"https://*", "https://anything.example:8443", false},
      {"https://*:*", "https://anything.example:8443", true},
      {"https://[fd00::*]", "https://[fd00::1]", true},
      {"https://[fd00::*]", "https://[fd01::1]", false},
      {"https://[0:0::1]", "https://[::1]", true},
      {"https://10.0.0.*", "https://10.0.0.7", true},
  };
  for (const PatternCase& c : cases) {
    const absl::StatusOr<OriginPattern> pattern = OriginPattern::Parse(c.pattern);
    ASSERT_TRUE(pattern.ok()) << c.pattern << ": " << pattern.status();
    EXPECT_EQ(pattern->Matches(*ParseOrigin(c.origin)), c.matches) << c.pattern << " " << c.origin;
    EXPECT_EQ(*OriginPattern::Parse(pattern->ToString()), *pattern);
  }
}

TEST(OriginPattern, RefusesWhatCouldNeverMatch) {
  for (const std::string text :
       {"*", "http://*", "https://*/", "https://*@host", "https://*..example.com", "https://*.",
        "https://.*", "https://a b*", "https://host:4*", "https://[*", "https://[*g]",
        "https://"}) {
    EXPECT_FALSE(OriginPattern::Parse(text).ok()) << text;
  }
}

TEST(OriginPattern, TakesNoTimeOnManyStars) {
  std::string stars = "https://";
  for (int i = 0; i < 100; ++i) stars += "*a";
  const OriginPattern pattern = *OriginPattern::Parse(stars + "*b");
  EXPECT_FALSE(pattern.Matches({std::string(255, 'a'), 443}));
}

TEST(OriginPattern, CoversWhatItMatchesAllOf) {
  const std::vector<PatternCase> cases = {
      {"https://*:*", "https://a.example", true},
      {"https://*:*", "https://*.example:8443", true},
      {"https://*.example", "https://*.a.example", true},
      {"https://*.example", "https://*.example", true},
      {"https://*.a.example", "https://*.example", false},
      {"https://a.example", "https://*.example", false},
      {"https://a.example", "https://a.example:*", false},
      {"https://a.example:*", "https://a.example", true},
  };
  for (const PatternCase& c : cases) {
    EXPECT_EQ(OriginPattern::Parse(c.pattern)->Covers(*OriginPattern::Parse(c.origin)), c.matches)
        << c.pattern << " " << c.origin;
  }
}

TEST(OriginPattern, DefaultMatchesNothing) {
  EXPECT_FALSE(OriginPattern().Matches(*ParseOrigin("https://a.example")));
}

}  // namespace
}  // namespace signet::agent
