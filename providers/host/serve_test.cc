// Calls and their answers, and what ends the process.
#include "providers/host/serve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "providers/contract/signature_check.h"
#include "providers/host/serve_fixture.h"

namespace signet::providers {
namespace {

using absl::StatusCode;
using backend::v1::BackendRequest;
using backend::v1::BackendResponse;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Serve, AnswersConfigureWithTheToken) {
  Agent agent;
  const BackendResponse response = agent.Configure();
  ASSERT_TRUE(response.has_token());
  EXPECT_FALSE(response.token().hardware());
  EXPECT_TRUE(response.token().unlocked());
  EXPECT_THAT(response.token().algorithms(),
              ElementsAre("p256", "p384", "p521", "rsa2048", "rsa3072", "ed25519", "ed448"));
  EXPECT_EQ(agent.HangUp(), 0);
}

TEST(Serve, CreatesDescribesAndSignsWithAKey) {
  Agent agent;
  agent.Configure();
  const BackendResponse created = agent.CreateKey("p256");
  ASSERT_TRUE(created.has_create_key());
  const std::string& reference = created.create_key().reference();

  BackendRequest describe;
  describe.mutable_describe_key()->set_reference(reference);
  const BackendResponse described = agent.Call(describe);
  EXPECT_EQ(described.describe_key().public_key(), created.create_key().public_key());
  EXPECT_THAT(described.describe_key().signature_schemes(), ElementsAre(0x0403));

  const BackendResponse answer = agent.Sign(reference, 0x0403, "message");
  ASSERT_TRUE(answer.has_sign());
  EXPECT_TRUE(SignatureHolds(View(created.create_key().public_key()),
                             wire::SignatureScheme::kEcdsaSecp256r1Sha256, View("message"),
                             View(answer.sign().signature())));

  BackendRequest remove;
  remove.mutable_remove_key()->set_reference(reference);
  EXPECT_TRUE(agent.Call(remove).has_remove_key());
  BackendRequest lock;
  lock.mutable_lock();
  EXPECT_TRUE(agent.Call(lock).has_lock());
  BackendRequest token;
  token.mutable_describe();
  EXPECT_TRUE(agent.Call(token).has_token());
}

TEST(Serve, AnswersFailuresWithTheirCodeAndGoesOn) {
  Agent agent;
  agent.Configure();
  EXPECT_EQ(CodeOf(agent.Sign("no key", 0x0403, "message")), StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(agent.CreateKey("p257")), StatusCode::kUnimplemented);
  const std::string reference = agent.CreateKey("ed25519").create_key().reference();
  EXPECT_EQ(CodeOf(agent.Sign(reference, 0x0403, "message")), StatusCode::kUnimplemented);
  EXPECT_EQ(CodeOf(agent.Sign(reference, 0x10807, "message")), StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(agent.Configure()), StatusCode::kFailedPrecondition);
  EXPECT_EQ(CodeOf(agent.Call(BackendRequest())), StatusCode::kUnimplemented);  // an unknown call
  EXPECT_EQ(CodeOf(agent.Sign(reference, 0x0807, "message")), StatusCode::kOk);
  EXPECT_EQ(agent.HangUp(), 0);
}

TEST(Serve, RefusesAnUnknownTypeAndTakesTheNext) {
  Agent agent;
  const BackendResponse response = agent.Configure("sofware");
  EXPECT_EQ(CodeOf(response), StatusCode::kInvalidArgument);
  EXPECT_THAT(response.error().message(), HasSubstr("trial: configure: "));
  // Neither module nor token is named.
  EXPECT_EQ(CodeOf(agent.Configure("pkcs11")), StatusCode::kInvalidArgument);
  EXPECT_TRUE(agent.Configure().has_token());
}

TEST(Serve, StaysConfiguredWhileTheTokenIsAbsent) {
  Counts counts{.absent = true};
  Agent agent(Counting(counts));
  EXPECT_EQ(CodeOf(agent.Configure("fake")), StatusCode::kNotFound);
  BackendRequest describe;
  describe.mutable_describe();
  EXPECT_EQ(CodeOf(agent.Call(describe)), StatusCode::kNotFound);
  EXPECT_EQ(agent.HangUp(), 0);
}

struct Breach {
  std::string_view name;
  std::string bytes;  // on the socket, prefix included
  bool closes;        // the agent hangs up after it
};

class ServeBreach : public testing::TestWithParam<Breach> {};

TEST_P(ServeBreach, EndsTheProcess) {
  for (const bool configured : {false, true}) {
    Counts counts;
    Agent agent(Counting(counts));
    if (configured) agent.Configure("fake");
    agent.SendRaw(GetParam().bytes);
    EXPECT_EQ(GetParam().closes ? agent.HangUp() : agent.WaitForEnd(), 2);
    EXPECT_EQ(counts.locked, configured ? 1 : 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Table, ServeBreach,
                         testing::Values(Breach{"Unparsable",
                                                std::string("\0\0\0\3\xff\xff\xff", 7), false},
                                         Breach{"Oversized", std::string("\0\4\0\1x", 5), false},
                                         Breach{"Huge", std::string("\xff\xff\xff\xffx", 5), false},
                                         Breach{"Truncated", std::string("\0\0\0\7abc", 7), true},
                                         Breach{"HalfAPrefix", std::string("\0\0", 2), true}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Serve, EndsAtACallBeforeConfigure) {
  for (const std::string_view bytes : {std::string_view("\0\0\0\2\x1a\0", 6),  // describe
                                       std::string_view("\0\0\0\0", 4)}) {     // nothing
    Agent agent;
    agent.SendRaw(bytes);
    EXPECT_EQ(agent.WaitForEnd(), 2);
  }
}

}  // namespace
}  // namespace signet::providers
