// The server kit: what it asks, and how it tells identities from everything else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signet/openssl.h>
#include <signet/server.h>

#include <cstddef>
#include <set>

#include "client-lib/src/requester_calls.h"
#include "ipc/wire/authenticator.h"
#include "tests/support/client_and_server.h"

namespace signet::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using wire::Bytes;
using wire::BytesView;

Answer AnswerTo(ClientAndServer& pair, const Bytes& authenticator) {
  EXPECT_EQ(Receive(pair, authenticator), SIGNET_OK);
  return pair.Answers().at(0);
}

// -- asking

TEST(RequesterTest, AlwaysAdvertisesOne) {
  ClientAndServer pair;
  signet_setting setting{};
  EXPECT_EQ(signet_requester_settings(pair.requester.get(), &setting, 1), 1u);
  EXPECT_EQ(setting.id, 0xf0c4u);
  EXPECT_EQ(setting.value, 1u);
}

TEST(RequesterTest, AsksOnlyClientsThatTakePart) {
  ClientAndServer pair({.negotiate = false});
  EXPECT_EQ(signet_requester_available(pair.requester.get()), 0u);
  EXPECT_EQ(Request(pair, {Anything()}), SIGNET_ERROR_STATE);
  EXPECT_THAT(pair.ServerFrames(), IsEmpty());
}

TEST(RequesterTest, KeepsToTheClientsLatestLimit) {
  ClientAndServer pair({.limit = 3});
  EXPECT_EQ(signet_requester_available(pair.requester.get()), 3u);
  EXPECT_EQ(Request(pair, std::vector(4, Anything())), SIGNET_ERROR_STATE);
  EXPECT_THAT(pair.ServerFrames(), IsEmpty()) << "all or nothing";
  pair.Ask(2);
  EXPECT_EQ(signet_requester_available(pair.requester.get()), 1u);
  ASSERT_EQ(signet_requester_peer_setting(pair.requester.get(), 0xf0c4, 1), SIGNET_OK);
  EXPECT_EQ(signet_requester_available(pair.requester.get()), 0u);
  signet_session_agent_gone(pair.session.get(), "none");
  EXPECT_THAT(pair.Finish(), SizeIs(2));
  EXPECT_EQ(signet_requester_available(pair.requester.get()), 1u);
  ASSERT_EQ(signet_requester_peer_setting(pair.requester.get(), 0xf0c4, 9), SIGNET_OK);
  EXPECT_EQ(signet_requester_available(pair.requester.get()), 9u);
}

// Draft section 5.5: what a connection costs is not for the client to say.
TEST(RequesterTest, BoundsWhatOneConnectionCanCost) {
  ClientAndServer pair({.limit = 1u << 30});
  signet_session_agent_gone(pair.session.get(), "none");
  size_t asked = 0;
  while (const size_t available = signet_requester_available(pair.requester.get())) {
    EXPECT_EQ(available, SIGNET_MAX_OUTSTANDING);
    EXPECT_EQ(Request(pair, std::vector(available + 1, Anything())), SIGNET_ERROR_STATE);
    pair.Ask(available);
    EXPECT_THAT(pair.Finish(), SizeIs(available));
    asked += available;
  }
  EXPECT_EQ(asked, SIGNET_MAX_REQUESTS);
}

TEST(RequesterTest, TakesNoAuthenticatorOfAnySize) {
  for (const size_t size : {size_t{256 * 1024}, size_t{256 * 1024 + 1}}) {
    ClientAndServer pair({.http = SIGNET_HTTP3});
    pair.Ask();
    signet_code_points h3;
    signet_code_points_h3(&h3);
    EXPECT_EQ(Receive(pair, Bytes(size), 0, h3.certificate),
              size == 256 * 1024 ? SIGNET_OK : SIGNET_ERROR_CONNECTION);
  }
}

TEST(RequesterTest, UsesEachContextOnceAndMakesItUnpredictable) {
  std::set<Bytes> contexts;
  std::set<Bytes> random_parts;
  for (int connection = 0; connection < 2; ++connection) {
    ClientAndServer pair({.limit = SIGNET_MAX_OUTSTANDING});
    ASSERT_EQ(Request(pair, std::vector(SIGNET_MAX_OUTSTANDING, Anything())), SIGNET_OK);
    for (const auto& request : RequestsIn(pair.ServerFrames())) {
      EXPECT_THAT(request.context, SizeIs(32));
      EXPECT_EQ(request.type, wire::HandshakeType::kCertificateRequest);
      contexts.insert(request.context);
      random_parts.insert(Bytes(request.context.begin(), request.context.begin() + 24));
    }
  }
  EXPECT_THAT(contexts, SizeIs(2 * SIGNET_MAX_OUTSTANDING));
  EXPECT_THAT(random_parts, SizeIs(2 * SIGNET_MAX_OUTSTANDING));
}

TEST(RequesterTest, SplitsRequestsOverFrames) {
  const Bytes name(3000, 0x30);
  const signet_bytes names[] = {{name.data(), name.size()}};
  signet_request large = Anything();
  large.certificate_authorities = names;
  large.certificate_authority_count = 1;
  for (const uint32_t frame_size : {16384u, 30000u}) {
    ClientAndServer pair({.limit = 20});
    ASSERT_EQ(signet_requester_peer_max_frame_size(pair.requester.get(), frame_size), SIGNET_OK);
    ASSERT_EQ(Request(pair, std::vector(20, large)), SIGNET_OK);
    const auto frames = pair.ServerFrames();
    EXPECT_EQ(frames.size(), frame_size == 16384 ? 4u : 3u);
    for (const Frame& frame : frames) EXPECT_LE(frame.payload.size(), frame_size);
    EXPECT_THAT(RequestsIn(frames), SizeIs(20));
  }
}

TEST(RequesterTest, RefusesARequestThatFitsNoFrame) {
  const Bytes name(17000, 0x30);
  const signet_bytes names[] = {{name.data(), name.size()}};
  signet_request large = Anything();
  large.certificate_authorities = names;
  large.certificate_authority_count = 1;
  ClientAndServer pair;
  EXPECT_EQ(Request(pair, {Anything(), large}), SIGNET_ERROR_ARGUMENT);
  EXPECT_THAT(pair.ServerFrames(), IsEmpty());
  EXPECT_EQ(signet_requester_available(pair.requester.get()), 4u);
}

TEST(RequesterTest, RefusesRequestsThatCanNotBeEncoded) {
  ClientAndServer pair;
  const uint8_t oid[] = {6, 3, 0x55, 0x1d, 0x0f};
  const signet_oid_filter twice[] = {{{oid, 5}, {nullptr, 0}}, {{oid, 5}, {nullptr, 0}}};
  signet_request request = Anything();
  request.oid_filters = twice;
  request.oid_filter_count = 2;
  EXPECT_EQ(Request(pair, {request}), SIGNET_ERROR_ARGUMENT);
  const signet_bytes no_name[] = {{nullptr, 0}};
  request = Anything();
  request.certificate_authorities = no_name;
  request.certificate_authority_count = 1;
  EXPECT_EQ(Request(pair, {request}), SIGNET_ERROR_ARGUMENT);
  request.certificate_authorities = nullptr;
  EXPECT_EQ(Request(pair, {request}), SIGNET_ERROR_ARGUMENT);
  EXPECT_EQ(Request(pair, {signet_request{}}), SIGNET_ERROR_ARGUMENT);
  EXPECT_EQ(signet_requester_request(pair.requester.get(), nullptr, 0, nullptr),
            SIGNET_ERROR_ARGUMENT);
}

TEST(RequesterTest, SendsWhatIsAskedFor) {
  const uint16_t schemes[] = {0x0807, 0x0403};
  const uint8_t name[] = {0x30, 0};
  const signet_bytes names[] = {{name, 2}};
  const uint8_t oid[] = {6, 3, 0x55, 0x1d, 0x0f};
  const uint8_t usage[] = {3, 2, 7, 0x80};
  const signet_oid_filter filters[] = {{{oid, 5}, {usage, 4}}};
  const signet_request wanted = {sizeof wanted, schemes, 2, names, 1, filters, 1};
  ClientAndServer pair;
  uint64_t ids[2] = {};
  const signet_request both[] = {wanted, Anything()};
  ASSERT_EQ(signet_requester_request(pair.requester.get(), both, 2, ids), SIGNET_OK);
  EXPECT_THAT(ids, ElementsAre(1, 2));
  const auto requests = RequestsIn(pair.ServerFrames());
  ASSERT_THAT(requests, SizeIs(2));
  EXPECT_THAT(
      requests[0].signature_algorithms,
      ElementsAre(wire::SignatureScheme::kEd25519, wire::SignatureScheme::kEcdsaSecp256r1Sha256));
  EXPECT_THAT(requests[0].certificate_authorities, ElementsAre(Bytes{0x30, 0}));
  ASSERT_THAT(requests[0].oid_filters, SizeIs(1));
  EXPECT_EQ(requests[0].oid_filters[0].oid, Bytes(oid, oid + 5));
  EXPECT_EQ(requests[0].oid_filters[0].values, Bytes(usage, usage + 4));
  EXPECT_THAT(requests[1].signature_algorithms, SizeIs(11));
  EXPECT_THAT(requests[1].signature_algorithms_cert.value(), SizeIs(14));
}

// No server certificates: that is another draft, which libsignet does not negotiate.
TEST(RequesterTest, SendsNothingButRequests) {
  ClientAndServer pair;
  ASSERT_EQ(signet_requester_peer_setting(pair.requester.get(), 0xf0c5, 1), SIGNET_OK);
  EXPECT_THAT(pair.ServerFrames(), IsEmpty());
  pair.Ask();
  signet_session_agent_gone(pair.session.get(), "none");
  EXPECT_THAT(pair.Finish(), SizeIs(1));
  EXPECT_THAT(pair.ServerFrames(), IsEmpty());
  ASSERT_EQ(Request(pair, {Anything()}), SIGNET_OK);
  for (const Frame& frame : pair.ServerFrames()) EXPECT_EQ(frame.type, 0xf4u);
  signet_setting settings[2];
  EXPECT_EQ(signet_requester_settings(pair.requester.get(), settings, 2), 1u);
}

// RFC 8446 section 4.2.5 forbids it in a filter, alone and beside others.
TEST(RequesterTest, AsksForNoAnyExtendedKeyUsage) {
  const Bytes oid = FromHex("0603551d25");
  ClientAndServer pair;
  for (const auto& [values, status] :
       {std::pair{"30060604551d2500", SIGNET_ERROR_ARGUMENT},
        {"301006082b060105050703020604551d2500", SIGNET_ERROR_ARGUMENT},
        {"300a06082b06010505070302", SIGNET_OK}}) {
    const Bytes purposes = FromHex(values);
    const signet_oid_filter filter = {{oid.data(), oid.size()}, {purposes.data(), purposes.size()}};
    signet_request request = Anything();
    request.oid_filters = &filter;
    request.oid_filter_count = 1;
    EXPECT_EQ(Request(pair, {request}), status) << values;
  }
}

// -- answers

TEST(RequesterTest, TellsInvalidFromDeclined) {
  ClientAndServer pair;
  signet_session_agent_gone(pair.session.get(), "none");
  pair.Ask(2);
  auto frames = pair.ClientFrames();
  ASSERT_THAT(frames, SizeIs(2));
  EXPECT_THAT(frames[0].payload, SizeIs(36));
  EXPECT_EQ(AnswerTo(pair, frames[0].payload).result, SIGNET_RESULT_DECLINED);
  frames[1].payload.back() ^= 1;
  const Answer answer = AnswerTo(pair, frames[1].payload);
  EXPECT_EQ(answer.result, SIGNET_RESULT_INVALID);
  EXPECT_THAT(answer.detail, HasSubstr("MAC of the empty authenticator"));
}

TEST(RequesterTest, RefusesAnAuthenticatorOfAnotherConnection) {
  ClientAndServer here, there;
  ASSERT_EQ(Request(here, {Anything()}), SIGNET_OK);
  ASSERT_EQ(Request(there, {Anything()}), SIGNET_OK);
  // The request is relayed to a client of another connection, as an attacker in the middle would.
  for (const Frame& frame : here.ServerFrames()) ASSERT_EQ(there.Deliver(frame), SIGNET_OK);
  there.TellAgent();
  ASSERT_EQ(there.AgentSays(there.agent.Proof(1)), SIGNET_OK);
  const Answer answer = AnswerTo(here, there.ClientFrames().at(0).payload);
  EXPECT_EQ(answer.result, SIGNET_RESULT_INVALID);
  EXPECT_THAT(answer.chain, IsEmpty());
}

TEST(RequesterTest, RefusesAnAnswerToAnotherRequest) {
  ClientAndServer pair;
  pair.Ask(2);
  pair.TellAgent();
  pair.AgentSays(pair.agent.Proof(1));
  pair.AgentSays(FakeAgent::Refusal(2, v1::DECLINE_REASON_DENIED, ""));
  const auto frames = pair.ClientFrames();
  ASSERT_THAT(frames, SizeIs(2));
  EXPECT_EQ(AnswerTo(pair, frames[1].payload).result, SIGNET_RESULT_INVALID);
  const Answer answer = AnswerTo(pair, frames[0].payload);
  EXPECT_EQ(answer.result, SIGNET_RESULT_INVALID);
  EXPECT_THAT(answer.detail, HasSubstr("context"));
}

TEST(RequesterTest, RefusesAReplayedAuthenticator) {
  ClientAndServer pair;
  pair.Ask(2);
  pair.TellAgent();
  pair.AgentSays(pair.agent.Proof(1));
  const Frame frame = pair.ClientFrames().at(0);
  EXPECT_EQ(AnswerTo(pair, frame.payload).result, SIGNET_RESULT_IDENTITY);
  EXPECT_EQ(AnswerTo(pair, frame.payload).result, SIGNET_RESULT_INVALID);
}

// Every byte of an authenticator matters, and every cut of it.
TEST(RequesterTest, RefusesAnAuthenticatorWithAnyByteChangedOrMissing) {
  ClientAndServer pair;
  ASSERT_EQ(Request(pair, {Anything()}), SIGNET_OK);
  const auto frames = pair.ServerFrames();
  const Bytes request = RequestsIn(frames).at(0).raw;
  ASSERT_EQ(pair.Deliver(frames[0]), SIGNET_OK);
  pair.TellAgent();
  pair.AgentSays(pair.agent.Proof(1));
  Bytes authenticator = pair.ClientFrames().at(0).payload;
  signet_tls tls;
  ASSERT_EQ(signet_openssl_tls(pair.tls.server(), &tls), SIGNET_OK);

  const auto validate = [&](const Bytes& bytes) {
    signet_result result{};
    size_t length = 0;
    EXPECT_EQ(signet_validate(&tls, 1, {request.data(), request.size()},
                              {bytes.data(), bytes.size()}, &result, nullptr, 0, &length),
              SIGNET_OK);
    return result;
  };
  ASSERT_EQ(validate(authenticator), SIGNET_RESULT_IDENTITY);
  for (size_t i = 0; i < authenticator.size(); ++i) {
    for (const uint8_t flip : {0x01, 0x80}) {
      authenticator[i] ^= flip;
      EXPECT_EQ(validate(authenticator), SIGNET_RESULT_INVALID) << "byte " << i;
      authenticator[i] ^= flip;
    }
    EXPECT_EQ(validate(Bytes(authenticator.begin(), authenticator.begin() + i)),
              SIGNET_RESULT_INVALID)
        << "cut at " << i;
  }
  authenticator.push_back(0);
  EXPECT_EQ(validate(authenticator), SIGNET_RESULT_INVALID);
}

// -- trust (RFC 9261 section 7.4: validate applies a function to the chain)

struct TrustCalls {
  int answer = 1;
  const char* reason = nullptr;
  std::vector<uint64_t> requests = {};
  std::vector<Bytes> leaves = {};

  static int Verify(void* user, uint64_t request, const signet_bytes* chain, size_t count,
                    const char** why) {
    auto& self = *static_cast<TrustCalls*>(user);
    self.requests.push_back(request);
    EXPECT_EQ(count, 1u);
    self.leaves.emplace_back(chain[0].data, chain[0].data + chain[0].size);
    if (self.reason != nullptr) *why = self.reason;
    return self.answer;
  }
};

Answer ProofUnder(TrustCalls& trust) {
  ClientAndServer pair({.verify_chain = TrustCalls::Verify, .chain_user = &trust});
  pair.Ask();
  pair.TellAgent();
  pair.AgentSays(pair.agent.Proof(1));
  EXPECT_EQ(pair.agent.chain().size(), 1u);
  const Answer answer = pair.Finish().at(0);
  EXPECT_THAT(trust.leaves, ElementsAre(pair.agent.chain()[0]));
  EXPECT_THAT(trust.requests, ElementsAre(1));
  return answer;
}

TEST(RequesterTest, GivesOnlyTrustedIdentities) {
  TrustCalls trusting;
  const Answer trusted = ProofUnder(trusting);
  EXPECT_EQ(trusted.result, SIGNET_RESULT_IDENTITY);
  EXPECT_EQ(trusted.chain, trusting.leaves);
  TrustCalls refusing{.answer = 0, .reason = "a stranger"};
  const Answer refused = ProofUnder(refusing);
  EXPECT_EQ(refused.result, SIGNET_RESULT_INVALID);
  EXPECT_THAT(refused.chain, IsEmpty());
  EXPECT_EQ(refused.detail, "a stranger");
  TrustCalls silent{.answer = 0};
  EXPECT_THAT(ProofUnder(silent).detail, HasSubstr("not trusted"));
}

TEST(RequesterTest, LooksAtChainsOnlyWhenTheKeyIsProved) {
  TrustCalls trust;
  ClientAndServer pair({.verify_chain = TrustCalls::Verify, .chain_user = &trust});
  pair.Ask(2);
  pair.TellAgent();
  pair.AgentSays(pair.agent.Proof(1));
  pair.AgentSays(FakeAgent::Refusal(2, v1::DECLINE_REASON_DENIED, ""));
  auto frames = pair.ClientFrames();
  frames[0].payload.back() ^= 1;
  EXPECT_EQ(AnswerTo(pair, frames[0].payload).result, SIGNET_RESULT_INVALID);
  EXPECT_EQ(AnswerTo(pair, frames[1].payload).result, SIGNET_RESULT_DECLINED);
  EXPECT_THAT(trust.requests, IsEmpty());
}

TEST(RequesterTest, NeedsRandomnessAndVerification) {
  TlsPair tls;
  signet_requester_config config{};
  config.size = sizeof config;
  config.http = SIGNET_HTTP2;
  signet_requester* requester = nullptr;
  ASSERT_EQ(signet_openssl_tls(tls.server(), &config.tls), SIGNET_OK);
  config.tls.random = nullptr;
  EXPECT_EQ(signet_requester_new(&config, &requester), SIGNET_ERROR_ARGUMENT);
  ASSERT_EQ(signet_openssl_tls(tls.server(), &config.tls), SIGNET_OK);
  config.tls.verify = nullptr;
  EXPECT_EQ(signet_requester_new(&config, &requester), SIGNET_ERROR_ARGUMENT);
}

TEST(RequesterTest, RefusesAClientHelloThatIsNone) {
  const TlsPair tls;
  signet_requester* requester = nullptr;
  signet_requester_config config{};
  config.size = sizeof config;
  config.http = SIGNET_HTTP2;
  ASSERT_EQ(signet_openssl_tls(tls.server(), &config.tls), SIGNET_OK);
  const uint8_t hello[] = {1, 0, 0, 2, 3, 3};
  config.client_hello = {hello, sizeof hello};
  EXPECT_EQ(signet_requester_new(&config, &requester), SIGNET_ERROR_ARGUMENT);
  config.client_hello = {nullptr, 1};
  EXPECT_EQ(signet_requester_new(&config, &requester), SIGNET_ERROR_ARGUMENT);
  config.client_hello = {hello, 0};
  ASSERT_EQ(signet_requester_new(&config, &requester), SIGNET_OK);
  signet_requester_free(requester);
}

TEST(RequesterTest, TakesTheConfigurationOfAProgramOfAnEarlierRelease) {
  const TlsPair tls;
  signet_requester* requester = nullptr;
  signet_requester_config config{};
  config.size = offsetof(signet_requester_config, client_hello);
  config.http = SIGNET_HTTP2;
  ASSERT_EQ(signet_openssl_tls(tls.server(), &config.tls), SIGNET_OK);
  const uint8_t not_there = 0xff;
  config.client_hello = {&not_there, 1};
  ASSERT_EQ(signet_requester_new(&config, &requester), SIGNET_OK);
  EXPECT_EQ(signet_requester_settings(requester, nullptr, 0), 1u);
  signet_requester_free(requester);
  config.size -= 1;
  EXPECT_EQ(signet_requester_new(&config, &requester), SIGNET_ERROR_ARGUMENT);
}

}  // namespace
}  // namespace signet::test
