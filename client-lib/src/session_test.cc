// The client session against the server kit and a fake agent, over a real TLS connection.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signet/client.h>
#include <signet/openssl.h>

#include <algorithm>
#include <array>

#include "tests/support/client_and_server.h"

namespace signet::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<uint64_t> Ids(const std::vector<Answer>& answers) {
  std::vector<uint64_t> ids;
  for (const Answer& answer : answers) ids.push_back(answer.id);
  return ids;
}

TEST(SessionTest, ProvesAnIdentityToTheServer) {
  for (const char* suite : {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"}) {
    for (const signet_http http : {SIGNET_HTTP2, SIGNET_HTTP3}) {
      ClientAndServer pair({.http = http, .suite = suite});
      pair.Ask();
      pair.TellAgent();
      ASSERT_EQ(pair.AgentSays(pair.agent.Proof(1)), SIGNET_OK);
      const auto answers = pair.Finish();
      ASSERT_THAT(answers, SizeIs(1));
      EXPECT_EQ(answers[0].result, SIGNET_RESULT_IDENTITY) << answers[0].detail;
      EXPECT_EQ(answers[0].chain, pair.agent.chain());
      EXPECT_EQ(answers[0].scheme, 0x0403);
      const auto events = pair.Events();
      ASSERT_THAT(events, SizeIs(2));
      EXPECT_EQ(events[0].type, SIGNET_EVENT_REQUESTED);
      EXPECT_EQ(events[1].type, SIGNET_EVENT_PROVED);
      EXPECT_EQ(events[1].request, 1u);
      EXPECT_EQ(events[1].identity, "laptop");
      EXPECT_EQ(events[1].kind, "device");
      EXPECT_EQ(events[1].subject, "CN=laptop");
    }
  }
}

TEST(SessionTest, TellsTheAgentWhatItNeeds) {
  ClientAndServer pair({.deadline_ms = 700, .suite = "TLS_AES_256_GCM_SHA384"});
  pair.Ask();
  pair.TellAgent();
  const v1::AuthenticateRequest& call = pair.agent.call(1);
  EXPECT_EQ(call.hash(), v1::PRF_HASH_SHA384);
  EXPECT_THAT(call.handshake_context(), SizeIs(48));
  EXPECT_EQ(call.origin(), "https://example.com:443");
  EXPECT_EQ(call.deadline_ms(), 700u);
  EXPECT_EQ(call.request()[0], 13);
}

// Three requests, each proved or refused, their answers in each order: 48 ways.
TEST(SessionTest, KeepsTheOrderOfRequestsWhateverTheOrderOfAnswers) {
  for (int refused = 0; refused < 8; ++refused) {
    std::array<uint64_t, 3> order = {1, 2, 3};
    do {
      ClientAndServer pair;
      pair.Ask(2);
      pair.Ask(1);
      pair.TellAgent();
      std::vector<Answer> answers;
      for (const uint64_t id : order) {
        const bool refuse = (refused >> (id - 1)) & 1;
        ASSERT_EQ(pair.AgentSays(refuse ? FakeAgent::Refusal(id, v1::DECLINE_REASON_DENIED, "no")
                                        : pair.agent.Proof(id)),
                  SIGNET_OK);
        for (Answer& answer : pair.Finish()) answers.push_back(std::move(answer));
      }
      ASSERT_THAT(Ids(answers), ElementsAre(1, 2, 3));
      for (const Answer& answer : answers) {
        const bool refuse = (refused >> (answer.id - 1)) & 1;
        EXPECT_EQ(answer.result, refuse ? SIGNET_RESULT_DECLINED : SIGNET_RESULT_IDENTITY);
      }
      EXPECT_EQ(signet_session_outstanding(pair.session.get()), 0u);
    } while (std::ranges::next_permutation(order).found);
  }
}

TEST(SessionTest, HoldsBackAnAnswerUntilEarlierOnesAreThere) {
  ClientAndServer pair;
  pair.Ask(2);
  pair.TellAgent();
  ASSERT_EQ(pair.AgentSays(pair.agent.Proof(2)), SIGNET_OK);
  EXPECT_THAT(pair.ClientFrames(), IsEmpty());
  ASSERT_EQ(pair.AgentSays(pair.agent.Proof(1)), SIGNET_OK);
  EXPECT_THAT(Ids(pair.Finish()), ElementsAre(1, 2));
}

TEST(SessionTest, TellsWhyTheAgentDeclined) {
  const std::pair<v1::DeclineReason, const char*> reasons[] = {
      {v1::DECLINE_REASON_NO_IDENTITY, "no-identity"},
      {v1::DECLINE_REASON_DENIED, "denied"},
      {v1::DECLINE_REASON_CONSENT, "consent"},
      {v1::DECLINE_REASON_TOKEN_LOCKED, "token-locked"},
      {v1::DECLINE_REASON_TOKEN_FAILED, "token-failed"},
      {v1::DECLINE_REASON_DEADLINE, "deadline"},
      {v1::DECLINE_REASON_LIMIT, "limit"},
      {v1::DECLINE_REASON_MALFORMED, "malformed"},
      {static_cast<v1::DeclineReason>(77), "denied"},
  };
  for (const auto& [reason, name] : reasons) {
    ClientAndServer pair;
    pair.Ask();
    pair.TellAgent();
    ASSERT_EQ(pair.AgentSays(FakeAgent::Refusal(1, reason, "what to do")), SIGNET_OK);
    const auto answers = pair.Finish();
    ASSERT_THAT(answers, SizeIs(1));
    EXPECT_EQ(answers[0].result, SIGNET_RESULT_DECLINED);
    const auto events = pair.Settled();
    ASSERT_THAT(events, SizeIs(1));
    EXPECT_EQ(events[0].reason, name);
    EXPECT_EQ(events[0].detail, "what to do");
  }
}

TEST(SessionTest, TurnsAnErrorOfTheAgentIntoADecline) {
  ClientAndServer pair;
  pair.Ask();
  pair.TellAgent();
  v1::AgentMessage error;
  error.set_id(1);
  error.mutable_error()->set_code(v1::ERROR_CODE_BUSY);
  error.mutable_error()->set_message("too many requests");
  ASSERT_EQ(pair.AgentSays(error), SIGNET_OK);
  const auto events = (pair.Finish(), pair.Settled());
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].reason, "limit");
  EXPECT_EQ(events[0].detail, "too many requests");
}

// -- deadlines

TEST(SessionTest, DeclinesInItsPlaceWhenTheDeadlinePasses) {
  ClientAndServer pair({.deadline_ms = 100});
  EXPECT_EQ(signet_session_deadline(pair.session.get()), SIGNET_NO_DEADLINE);
  pair.Ask(1, 1000);
  pair.Ask(1, 1050);
  pair.TellAgent();
  EXPECT_EQ(signet_session_deadline(pair.session.get()), 1100u);
  ASSERT_EQ(signet_session_advance(pair.session.get(), 1099), SIGNET_OK);
  EXPECT_THAT(pair.ClientFrames(), IsEmpty());
  ASSERT_EQ(signet_session_advance(pair.session.get(), 1100), SIGNET_OK);
  EXPECT_EQ(signet_session_deadline(pair.session.get()), 1150u);
  const auto answers = pair.Finish();
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].id, 1u);
  EXPECT_EQ(answers[0].result, SIGNET_RESULT_DECLINED);
  const auto events = pair.Settled();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].reason, "deadline");

  ASSERT_EQ(pair.AgentSays(pair.agent.Proof(2)), SIGNET_OK);
  EXPECT_EQ(pair.Finish().at(0).result, SIGNET_RESULT_IDENTITY);
}

TEST(SessionTest, TellsTheAgentThatNobodyWaitsAnyMore) {
  ClientAndServer pair({.deadline_ms = 100});
  pair.Ask(2);
  pair.TellAgent();
  ASSERT_EQ(pair.AgentSays(pair.agent.Proof(2)), SIGNET_OK);
  ASSERT_EQ(signet_session_advance(pair.session.get(), 100), SIGNET_OK);
  pair.TellAgent();
  EXPECT_THAT(pair.agent.cancelled(), ElementsAre(1));
}

TEST(SessionTest, TakesACallBackThatHasNotLeft) {
  ClientAndServer pair({.deadline_ms = 100});
  pair.Ask();
  ASSERT_EQ(signet_session_advance(pair.session.get(), 100), SIGNET_OK);
  pair.TellAgent();
  EXPECT_THAT(pair.agent.calls(), IsEmpty());
}

TEST(SessionTest, FinishesACallThatHasBegunToLeaveBeforeItCancels) {
  ClientAndServer pair({.deadline_ms = 100});
  pair.Ask();
  const signet_bytes output = signet_session_agent_output(pair.session.get());
  pair.agent.Receive({output.data, 5});
  ASSERT_EQ(signet_session_agent_sent(pair.session.get(), 5), SIGNET_OK);
  ASSERT_EQ(signet_session_advance(pair.session.get(), 100), SIGNET_OK);
  pair.TellAgent();
  EXPECT_THAT(pair.agent.calls(), SizeIs(2));
  EXPECT_THAT(pair.agent.cancelled(), ElementsAre(1));
}

TEST(SessionTest, IgnoresAnAnswerThatComesTooLate) {
  ClientAndServer pair({.deadline_ms = 100});
  pair.Ask();
  pair.TellAgent();
  ASSERT_EQ(signet_session_advance(pair.session.get(), 100), SIGNET_OK);
  ASSERT_EQ(pair.AgentSays(pair.agent.Proof(1)), SIGNET_OK);
  EXPECT_EQ(pair.Finish().at(0).result, SIGNET_RESULT_DECLINED);
  ASSERT_EQ(pair.AgentSays(pair.agent.Proof(1)), SIGNET_OK);
  EXPECT_THAT(pair.ClientFrames(), IsEmpty());
}

// -- limits

TEST(SessionTest, DeclinesAnAuthenticatorThatDoesNotFitAFrame) {
  for (const signet_http http : {SIGNET_HTTP2, SIGNET_HTTP3}) {
    ClientAndServer pair({.http = http});
    pair.Ask();
    pair.TellAgent();
    v1::AgentMessage message = pair.agent.Proof(1);
    // CertificateVerify with a signature of 17000 bytes.
    std::string verify("\x0f\x00\x42\x6c\x04\x03\x42\x68", 8);
    message.mutable_authenticate()->mutable_authenticator()->set_certificate_verify(
        verify + std::string(17000, 's'));
    ASSERT_EQ(pair.AgentSays(message), SIGNET_OK);
    const auto answers = pair.Finish();
    ASSERT_THAT(answers, SizeIs(1));
    const auto events = pair.Settled();
    ASSERT_THAT(events, SizeIs(1));
    if (http == SIGNET_HTTP2) {
      EXPECT_EQ(answers[0].result, SIGNET_RESULT_DECLINED);
      EXPECT_EQ(events[0].reason, "frame-size");
      EXPECT_THAT(events[0].detail, HasSubstr("SETTINGS_MAX_FRAME_SIZE"));
    } else {
      EXPECT_EQ(events[0].type, SIGNET_EVENT_PROVED);
    }
  }
}

TEST(SessionTest, UsesTheFrameSizeThatTheServerAllows) {
  ClientAndServer pair;
  EXPECT_EQ(signet_session_peer_max_frame_size(pair.session.get(), 16383), SIGNET_ERROR_ARGUMENT);
  EXPECT_EQ(signet_session_peer_max_frame_size(pair.session.get(), 1 << 24), SIGNET_ERROR_ARGUMENT);
  ASSERT_EQ(signet_session_peer_max_frame_size(pair.session.get(), 20000), SIGNET_OK);
  pair.Ask();
  pair.TellAgent();
  v1::AgentMessage message = pair.agent.Proof(1);
  std::string verify("\x0f\x00\x42\x6c\x04\x03\x42\x68", 8);
  message.mutable_authenticate()->mutable_authenticator()->set_certificate_verify(
      verify + std::string(17000, 's'));
  ASSERT_EQ(pair.AgentSays(message), SIGNET_OK);
  EXPECT_THAT(pair.ClientFrames(), SizeIs(1));
  EXPECT_EQ(pair.Settled().at(0).type, SIGNET_EVENT_PROVED);
}

// 64 requests of a server that has no bounds of its own; `round` makes their contexts new.
void AskWithoutBounds(ClientAndServer& pair, int round) {
  std::vector<std::string> contexts;
  for (int i = 0; i < 64; ++i) contexts.push_back(std::to_string(round * 64 + i));
  ASSERT_EQ(pair.Deliver({0xf4, RequestsPayload(contexts)}), SIGNET_OK);
}

TEST(SessionTest, StopsAskingTheAgentAfterManyRequests) {
  ClientAndServer pair({.limit = 64});
  for (int round = 0; round < 1024 / 64; ++round) {
    AskWithoutBounds(pair, round);
    pair.TellAgent();
    ASSERT_EQ(signet_session_advance(pair.session.get(), 1'000'000), SIGNET_OK);
    ASSERT_THAT(pair.ClientFrames(), SizeIs(64));
    pair.Events();
  }
  const size_t calls = pair.agent.calls().size();
  pair.Ask();
  EXPECT_EQ(pair.Finish().at(0).result, SIGNET_RESULT_DECLINED);
  EXPECT_EQ(pair.Settled().at(0).reason, "limit");
  pair.TellAgent();
  EXPECT_EQ(pair.agent.calls().size(), calls + 64);  // the cancellations of the last round
}

TEST(SessionTest, KeepsTheLatestEventsWhenNobodyFetchesThem) {
  ClientAndServer pair({.limit = 64});
  ASSERT_EQ(signet_session_agent_gone(pair.session.get(), nullptr), SIGNET_OK);
  for (int round = 0; round < 100; ++round) {
    AskWithoutBounds(pair, round);
    EXPECT_THAT(pair.ClientFrames(), SizeIs(64));
  }
  const auto events = pair.Events();
  EXPECT_THAT(events, SizeIs(4096));
  EXPECT_EQ(events.back().request, 6400u);
}

TEST(SessionTest, AdvertisesItsLimit) {
  ClientAndServer pair({.limit = 7});
  signet_setting setting{};
  EXPECT_EQ(signet_session_settings(pair.session.get(), nullptr, 0), 1u);
  EXPECT_EQ(signet_session_settings(pair.session.get(), &setting, 1), 1u);
  EXPECT_EQ(setting.id, 0xf0c4u);
  EXPECT_EQ(setting.value, 7u);
}

TEST(SessionTest, RefusesAConfigurationThatIsNotWhole) {
  ClientAndServer pair;
  signet_session* session = nullptr;
  signet_session_config config{};
  EXPECT_EQ(signet_session_new(nullptr, &session), SIGNET_ERROR_ARGUMENT);
  EXPECT_EQ(signet_session_new(&config, &session), SIGNET_ERROR_ARGUMENT);
  config.size = sizeof config;
  config.http = SIGNET_HTTP2;
  config.origin = "https://example.com:443";
  EXPECT_EQ(signet_session_new(&config, &session), SIGNET_ERROR_ARGUMENT) << "no callbacks";
  EXPECT_EQ(session, nullptr);
}

TEST(SessionTest, RefusesAClientHelloThatIsNone) {
  const TlsPair tls;
  signet_session* session = nullptr;
  signet_session_config config{};
  config.size = sizeof config;
  config.http = SIGNET_HTTP2;
  config.origin = "https://example.com:443";
  ASSERT_EQ(signet_openssl_tls(tls.client(), &config.tls), SIGNET_OK);
  const uint8_t hello[] = {1, 0, 0, 2, 3, 3};
  config.client_hello = {hello, sizeof hello};
  EXPECT_EQ(signet_session_new(&config, &session), SIGNET_ERROR_ARGUMENT);
  config.client_hello = {nullptr, 1};
  EXPECT_EQ(signet_session_new(&config, &session), SIGNET_ERROR_ARGUMENT);
  config.client_hello = {hello, 0};
  ASSERT_EQ(signet_session_new(&config, &session), SIGNET_OK);
  signet_session_free(session);
}

// -- failures of the TLS stack

int FailExport(void*, const char*, uint8_t*, size_t) { return 0; }
int FillExport(void*, const char*, uint8_t* out, size_t size) {
  std::fill_n(out, size, 7);
  return 1;
}
int FailDigest(void*, signet_hash, const signet_bytes*, size_t, uint8_t*) { return 0; }
int FailHmac(void*, signet_hash, signet_bytes, signet_bytes, uint8_t*) { return 0; }

TEST(SessionTest, ClosesTheConnectionWhenTlsFails) {
  for (const bool can_export : {false, true}) {
    signet_session_config config{};
    config.size = sizeof config;
    config.tls = {sizeof config.tls,
                  nullptr,
                  SIGNET_HASH_SHA256,
                  can_export ? FillExport : FailExport,
                  FailDigest,
                  FailHmac,
                  nullptr,
                  nullptr};
    config.http = SIGNET_HTTP2;
    config.origin = "https://example.com:443";
    signet_session* raw = nullptr;
    ASSERT_EQ(signet_session_new(&config, &raw), SIGNET_OK);
    const SessionPtr session(raw);
    signet_session_peer_setting(raw, 0xf0c4, 1);
    signet_session_peer_settings_done(raw);
    signet_session_agent_gone(raw, "none");
    const wire::Bytes payload = RequestsPayload({"a"});
    const signet_status received =
        signet_session_receive_frame(raw, 0, 0xf4, payload.data(), payload.size(), 0);
    signet_frame frame;
    if (can_export) {
      EXPECT_EQ(received, SIGNET_OK);
      EXPECT_EQ(signet_session_next_frame(raw, &frame), SIGNET_ERROR_TLS);
    } else {
      EXPECT_EQ(received, SIGNET_ERROR_TLS);
    }
    EXPECT_EQ(signet_session_next_frame(raw, &frame), SIGNET_ERROR_STATE);
    signet_connection_error error;
    ASSERT_EQ(signet_session_error(raw, &error), SIGNET_OK);
    EXPECT_STREQ(error.name, "INTERNAL_ERROR");
  }
}

}  // namespace
}  // namespace signet::test
