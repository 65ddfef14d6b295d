#include "client-lib/tools/http_fields.h"

#include <gtest/gtest.h>

namespace signet::tools {
namespace {

TEST(HttpFields, ReservesNamesInEverySpellingABackendCouldTakeForThem) {
  for (const char* name :
       {"client-cert", "Client-Cert", "CLIENT_CERT", "client_cert_chain", "client-cert_chain",
        "client.cert", "client^cert", "signet-identities", "Signet_Identities", "forwarded",
        "x-forwarded-for", "X_Forwarded_Proto", "x-forwarded-client-cert", "x-real-ip"}) {
    EXPECT_TRUE(IsReserved(name)) << name;
  }
  for (const char* name : {"client", "client-certificate", "clientcert", "signet", "forward", "via",
                           "x-forwarded", "cookie"}) {
    EXPECT_FALSE(IsReserved(name)) << name;
  }
}

TEST(HttpFields, KnowsWhatIsMeantForOneHop) {
  for (const char* name :
       {"connection", "Keep-Alive", "te", "transfer-encoding", "Transfer_Encoding", "upgrade",
        "proxy-connection", "proxy-authorization", "proxy", "http2-settings", "trailer"}) {
    EXPECT_TRUE(IsHopByHop(name)) << name;
  }
  for (const char* name : {"content-length", "accept", "proxied"}) {
    EXPECT_FALSE(IsHopByHop(name)) << name;
  }
}

TEST(HttpFields, RemovesWhatConnectionNames) {
  Fields fields = {{"connection", "close, X-Hop ,x-other"},
                   {"x-hop", "1"},
                   {"x-other", "2"},
                   {"keep-alive", "5"},
                   {"content-type", "a"}};
  RemoveHopByHop(fields);
  EXPECT_EQ(fields, (Fields{{"content-type", "a"}}));
}

TEST(HttpFields, ChecksWhatCouldEndALine) {
  EXPECT_TRUE(IsToken("x-own_1~"));
  for (const char* name : {"", "a b", "a:", "a\r", "a\n", "\x80", "a(b)", ":path"}) {
    EXPECT_FALSE(IsToken(name)) << name;
  }
  EXPECT_TRUE(IsFieldValue("a b\tc \xc3\xa4"));
  EXPECT_TRUE(IsFieldValue(""));
  for (std::string_view value : {"a\rb", "a\nb", "\x7f", "a\x01"})
    EXPECT_FALSE(IsFieldValue(value));
  EXPECT_FALSE(IsFieldValue(std::string_view("a\0b", 3)));
  EXPECT_TRUE(IsOriginForm("/a/%20?b=c"));
  for (const char* target : {"", "a", "*", "http://a/", "/a b", "/a#b", "/\x80", "/a\r\n"}) {
    EXPECT_FALSE(IsOriginForm(target)) << target;
  }
  for (const char* host : {"localhost", "example.com:443", "[::1]:8443", "a_b"}) {
    EXPECT_TRUE(IsAuthority(host)) << host;
  }
  for (const char* host : {"", "a/b", "a b", "user@host", "a,b", "a?b", "a\r\nb", "a\\b"}) {
    EXPECT_FALSE(IsAuthority(host)) << host;
  }
}

}  // namespace
}  // namespace signet::tools
