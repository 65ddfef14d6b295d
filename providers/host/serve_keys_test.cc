// The keys that a token lists, and those that stay open.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "providers/host/key_cache.h"
#include "providers/host/serve_fixture.h"

namespace signet::providers {
namespace {

using backend::v1::BackendRequest;
using backend::v1::BackendResponse;
using testing::ElementsAre;

BackendRequest ListKeys() {
  BackendRequest request;
  request.mutable_list_keys();
  return request;
}

TEST(Serve, ListsNoKeysOfATokenThatStoresNone) {
  Agent agent;
  agent.Configure();
  const BackendResponse response = agent.Call(ListKeys());
  ASSERT_TRUE(response.has_list_keys());
  EXPECT_EQ(response.list_keys().keys_size(), 0);
}

TEST(Serve, ListsWhatTheTokenHolds) {
  Counts counts;
  counts.found.push_back({.reference = {1},
                          .label = "\xff key",
                          .algorithm = "p256",
                          .public_key = {2},
                          .schemes = {wire::SignatureScheme::kEcdsaSecp256r1Sha256},
                          .chain = {{3}, {4}}});
  Agent agent(Counting(counts));
  agent.Configure();
  const BackendResponse response = agent.Call(ListKeys());
  ASSERT_EQ(response.list_keys().keys_size(), 1);
  const backend::v1::FoundKey& key = response.list_keys().keys(0);
  EXPECT_EQ(key.reference(), "\x01");
  EXPECT_EQ(key.label(), "\xff key");
  EXPECT_EQ(key.algorithm(), "p256");
  EXPECT_EQ(key.public_key(), "\x02");
  EXPECT_THAT(key.signature_schemes(), ElementsAre(0x0403));
  EXPECT_THAT(key.chain(), ElementsAre("\x03", "\x04"));
  EXPECT_EQ(response.list_keys().left_out(), 0u);
}

TEST(Serve, SaysHowManyKeysAMessageHasNoRoomFor) {
  Counts counts;
  const FoundKey large{.reference = {},
                       .label = {},
                       .algorithm = {},
                       .public_key = {},
                       .schemes = {},
                       .chain = {wire::Bytes(60'000)}};
  counts.found.assign(10, large);
  Agent agent(Counting(counts));
  agent.Configure();
  const BackendResponse response = agent.Call(ListKeys());
  EXPECT_EQ(response.list_keys().keys_size(), 3);
  EXPECT_EQ(response.list_keys().left_out(), 7u);
}

TEST(Serve, KeepsKeysOpenBetweenSignatures) {
  Counts counts;
  Agent agent(Counting(counts));
  agent.Configure("fake");
  agent.CreateKey("p256");  // is open from the start
  for (int i = 0; i < 3; ++i) agent.Sign("new", 0x0403, "message");
  for (int i = 0; i < 3; ++i) agent.Sign("other", 0x0403, "message");
  agent.HangUp();
  EXPECT_EQ(counts.opened, 1);
}

TEST(Serve, ClosesTheKeyThatWasUsedLeastRecently) {
  Counts counts;
  Agent agent(Counting(counts));
  agent.Configure("fake");
  const int capacity = static_cast<int>(KeyCache::kCapacity);
  for (int i = 0; i < capacity; ++i) agent.Sign(std::to_string(i), 0x0403, "message");
  agent.Sign("0", 0x0403, "message");  // now 1 is the oldest
  agent.Sign("one more", 0x0403, "message");
  EXPECT_TRUE(agent.Sign("0", 0x0403, "message").has_sign());
  EXPECT_TRUE(agent.Sign("1", 0x0403, "message").has_sign());  // opened again
  agent.HangUp();
  EXPECT_EQ(counts.opened, capacity + 2);
}

TEST(Serve, ForgetsAKeyThatIsRemoved) {
  Counts counts;
  Agent agent(Counting(counts));
  agent.Configure("fake");
  agent.Sign("key", 0x0403, "message");
  BackendRequest remove;
  remove.mutable_remove_key()->set_reference("key");
  agent.Call(remove);
  agent.Sign("key", 0x0403, "message");
  agent.HangUp();
  EXPECT_EQ(counts.opened, 2);
}

}  // namespace
}  // namespace signet::providers
