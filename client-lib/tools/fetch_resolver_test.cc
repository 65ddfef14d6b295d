#include "client-lib/tools/fetch_resolver.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {
namespace {

SocketAddress At(const char* address, uint16_t port) {
  SocketAddress made;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&made.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&made.storage);
  if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    made.size = sizeof *v4;
  } else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    made.size = sizeof *v6;
  }
  return made;
}

FetchResolver Resolver(std::initializer_list<const char*> resolved,
                       std::optional<Endpoint> connect = std::nullopt) {
  std::vector<ResolvedHost> hosts;
  for (const char* each : resolved) hosts.push_back(ParseResolvedHost(each).value());
  return FetchResolver(hosts, connect);
}

uint64_t Soon() { return NowMs() + 10000; }

TEST(ResolvedHostTest, IsAHostAPortAndAnAddress) {
  for (const auto& [text, host, address] :
       {std::tuple("a.test:443:127.0.0.1", "a.test", "127.0.0.1"),
        std::tuple("A.Test:443:::1", "a.test", "::1"),
        std::tuple("a.test:443:[::1]", "a.test", "::1")}) {
    const std::optional<ResolvedHost> parsed = ParseResolvedHost(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->server, (Endpoint{host, 443}));
    EXPECT_EQ(parsed->place, (Endpoint{address, 443}));
  }
  for (const char* text : {"", "a.test", "a.test:443", "a.test:443:", "a.test:443:b.test",
                           "a.test:0:127.0.0.1", "a.test:x:127.0.0.1", ":443:127.0.0.1",
                           "a.test:443:127.0.0.1:80", "a.test:443:[::1", "*:443:127.0.0.1"}) {
    EXPECT_FALSE(ParseResolvedHost(text)) << text;
  }
}

TEST(FetchResolverTest, KnowsThePlaceOfOneHostAndPort) {
  const FetchResolver resolver = Resolver({"a.test:443:127.0.0.9"});
  EXPECT_EQ(resolver.PlaceOf({"a.test", 443}), (Endpoint{"127.0.0.9", 443}));
  EXPECT_EQ(resolver.PlaceOf({"a.test", 444}), (Endpoint{"a.test", 444}));
  EXPECT_EQ(resolver.PlaceOf({"b.test", 443}), (Endpoint{"b.test", 443}));
}

TEST(FetchResolverTest, LeadsToTheSameAddressAndPortOnly) {
  const FetchResolver resolver = Resolver({"a.test:443:127.0.0.9", "six.test:443:::1"});
  EXPECT_TRUE(resolver.LeadsToSlowly({"a.test", 443}, At("127.0.0.9", 443), Soon()));
  EXPECT_FALSE(resolver.LeadsToSlowly({"a.test", 443}, At("127.0.0.9", 444), Soon()));
  EXPECT_FALSE(resolver.LeadsToSlowly({"a.test", 443}, At("127.0.0.1", 443), Soon()));
  EXPECT_FALSE(resolver.LeadsToSlowly({"a.test", 443}, At("::1", 443), Soon()));
  EXPECT_TRUE(resolver.LeadsToSlowly({"six.test", 443}, At("::1", 443), Soon()));
  EXPECT_FALSE(resolver.LeadsToSlowly({"six.test", 443}, At("::2", 443), Soon()));
}

TEST(FetchResolverTest, LeadsNowhereFromAConnectionThatIsInsideAnother) {
  EXPECT_FALSE(
      Resolver({"a.test:443:127.0.0.9"}).LeadsToSlowly({"a.test", 443}, SocketAddress(), Soon()));
}

TEST(FetchResolverTest, LeadsEverythingToTheOnePlaceOfConnect) {
  const FetchResolver resolver = Resolver({"a.test:443:127.0.0.9"}, Endpoint{"127.0.0.1", 8443});
  EXPECT_EQ(resolver.PlaceOf({"a.test", 443}), (Endpoint{"127.0.0.1", 8443}));
  EXPECT_TRUE(resolver.LeadsToSlowly({"b.test", 1}, At("127.0.0.1", 8443), Soon()));
}

}  // namespace
}  // namespace signet::tools
