#include "client-lib/src/origin_set.h"

#include <gtest/gtest.h>
#include <signet/client.h>

#include <string>
#include <vector>

#include "ipc/wire/writer.h"

namespace signet {
namespace {

using Answer = OriginSet::Answer;
using wire::Bytes;

Bytes Payload(const std::vector<std::string>& entries) {
  wire::Writer writer;
  for (const std::string& entry : entries) writer.Vector16(Bytes(entry.begin(), entry.end()));
  return writer.Take();
}

const Origin kOwn{"own.example", 443};
const Origin kOther{"other.example", 443};

TEST(OriginTest, IsAnAsciiSerializationOfHttps) {
  const struct {
    const char* text;
    Origin origin;
  } good[] = {
      {"https://example.com", {"example.com", 443}},
      {"HTTPS://Example.COM", {"example.com", 443}},
      {"https://example.com:8443", {"example.com", 8443}},
      {"https://example.com:65535", {"example.com", 65535}},
      {"https://a_b.example", {"a_b.example", 443}},
      {"https://192.0.2.1:443", {"192.0.2.1", 443}},
      {"https://[2001:DB8::1]:1", {"2001:db8::1", 1}},
      {"https://[::ffff:192.0.2.1]", {"::ffff:192.0.2.1", 443}},
  };
  for (const auto& row : good) {
    const auto origin = ParseHttpsOrigin(row.text);
    ASSERT_TRUE(origin) << row.text;
    EXPECT_EQ(*origin, row.origin) << row.text;
  }
}

TEST(OriginTest, IsNothingElse) {
  for (const std::string& text : std::vector<std::string>{"",
                                                          "null",
                                                          "https",
                                                          "https://",
                                                          "http://example.com",
                                                          "https:example.com",
                                                          "example.com",
                                                          "wss://example.com",
                                                          "https://example.com/",
                                                          "https://example.com/a",
                                                          "https://example.com:",
                                                          "https://example.com:0",
                                                          "https://example.com:65536",
                                                          "https://example.com:100000",
                                                          "https://example.com:+1",
                                                          "https://example.com:44 ",
                                                          "https://*.example.com",
                                                          "https://a@example.com",
                                                          "https://example.com?",
                                                          "https://:443",
                                                          "https://.example.com",
                                                          "https://[::1",
                                                          "https://[]",
                                                          "https://[::1]443",
                                                          "https://[::g]",
                                                          "https://::1",
                                                          "https://exa mple.com",
                                                          "https://ex\xc3\xa4mple.com",
                                                          " https://example.com",
                                                          "https://example.com\n",
                                                          std::string("https://example.com\0", 20),
                                                          "https://" + std::string(254, 'a'),
                                                          "https://" + std::string(70000, 'a')}) {
    EXPECT_FALSE(ParseHttpsOrigin(text)) << text.substr(0, 80);
  }
}

TEST(OriginTest, MayBeAsLongAsANameMayBe) {
  const std::string longest(253, 'a');
  EXPECT_EQ(ParseHttpsOrigin("https://" + longest + ":65535"), (Origin{longest, 65535}));
}

TEST(OriginSetTest, SaysNothingBeforeTheFirstFrame) {
  const OriginSet set(kOwn);
  EXPECT_EQ(set.Find(kOwn), Answer::kOwn);
  EXPECT_EQ(set.Find(kOther), Answer::kNothingSaid);
}

TEST(OriginSetTest, HasItsOwnOriginAndWhatTheFramesName) {
  OriginSet set(kOwn);
  ASSERT_TRUE(set.Receive(Payload({"https://other.example"})));
  ASSERT_TRUE(set.Receive(Payload({"https://third.example:8443"})));
  EXPECT_EQ(set.Find(kOwn), Answer::kOwn);
  EXPECT_EQ(set.Find(kOther), Answer::kNamed);
  EXPECT_EQ(set.Find({"third.example", 8443}), Answer::kNamed);
  EXPECT_EQ(set.Find({"third.example", 443}), Answer::kNotNamed);
  EXPECT_EQ(set.Find({"fourth.example", 443}), Answer::kNotNamed);
}

TEST(OriginSetTest, BeginsWithAnEmptyFrame) {
  OriginSet set(kOwn);
  ASSERT_TRUE(set.Receive({}));
  EXPECT_EQ(set.Find(kOther), Answer::kNotNamed);
}

TEST(OriginSetTest, SkipsEntriesThatAreNoHttpsOrigins) {
  OriginSet set(std::nullopt);
  ASSERT_TRUE(
      set.Receive(Payload({"", "*.example", "http://other.example", "https://ok.example"})));
  EXPECT_EQ(set.Find({"ok.example", 443}), Answer::kNamed);
  EXPECT_EQ(set.Find(kOther), Answer::kNotNamed);
}

TEST(OriginSetTest, TakesAllOfAFrameOrNothing) {
  const Bytes whole = Payload({"https://other.example", "https://third.example"});
  for (size_t size = 1; size < whole.size(); ++size) {
    if (size == Payload({"https://other.example"}).size()) continue;  // one whole entry
    OriginSet set(kOwn);
    EXPECT_FALSE(set.Receive(wire::BytesView(whole).first(size))) << size;
    EXPECT_EQ(set.Find(kOther), Answer::kNothingSaid);
  }
}

TEST(OriginSetTest, ForgetsWhatIsMisdirectedUntilItIsNamedAgain) {
  OriginSet set(kOwn);
  set.Remove(kOther);
  EXPECT_EQ(set.Find(kOther), Answer::kNotNamed) << "no frame yet, but the server has refused it";
  ASSERT_TRUE(set.Receive(Payload({"https://other.example"})));
  EXPECT_EQ(set.Find(kOther), Answer::kNamed);
  set.Remove(kOther);
  set.Remove(kOwn);
  EXPECT_EQ(set.Find(kOther), Answer::kNotNamed);
  EXPECT_EQ(set.Find(kOwn), Answer::kNotNamed);
  ASSERT_TRUE(set.Receive(Payload({"https://own.example"})));
  EXPECT_EQ(set.Find(kOwn), Answer::kOwn);
}

TEST(OriginSetTest, TakesSoManyOriginsAndIgnoresTheRest) {
  OriginSet set(kOwn);
  for (int i = 0; i < 3; ++i) {
    std::vector<std::string> names;
    for (int j = 0; j < 500; ++j) {
      names.push_back("https://n" + std::to_string(1000 * i + j) + ".example");
    }
    ASSERT_TRUE(set.Receive(Payload(names)));
  }
  EXPECT_EQ(set.Find({"n0.example", 443}), Answer::kNamed);
  EXPECT_EQ(set.Find({"n2023.example", 443}), Answer::kNamed);
  EXPECT_EQ(set.Find({"n2024.example", 443}), Answer::kNotNamed);
}

}  // namespace
}  // namespace signet
