// A session that takes secondary server certificates: what it makes of good ones, and for which
// origins it may be used then. The numbers are rows of the checklist of the draft.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signet/openssl.h>

#include <cstddef>

#include "client-lib/src/server_certs_calls.h"

namespace signet::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr signet_authority kNo = SIGNET_AUTHORITY_NO;
constexpr signet_authority kYes = SIGNET_AUTHORITY_YES;
constexpr signet_authority kIfDns = SIGNET_AUTHORITY_IF_DNS;

class ServerCertsTest : public ::testing::TestWithParam<signet_http> {};
INSTANTIATE_TEST_SUITE_P(All, ServerCertsTest, ::testing::Values(SIGNET_HTTP2, SIGNET_HTTP3),
                         [](const auto& test) { return test.param == SIGNET_HTTP2 ? "H2" : "H3"; });

// -- negotiation

TEST_P(ServerCertsTest, AreAdvertisedBesideClientCertificates_1_10) {
  ServerCerts it(GetParam(), false);
  signet_setting settings[3]{};
  ASSERT_EQ(signet_session_settings(it.session(), settings, 3), 2u);
  EXPECT_EQ(settings[0].id, it.numbers.client_cert_auth);
  EXPECT_EQ(settings[1].id, it.numbers.server_cert_auth);
  EXPECT_EQ(settings[1].value, 1u);
  EXPECT_EQ(settings[2].id, 0u);
  EXPECT_EQ(signet_session_settings(it.session(), nullptr, 0), 2u);
}

TEST_P(ServerCertsTest, NeedTheServersSettingAndAWholeSettingsFrame_1_2) {
  ServerCerts it(GetParam(), false);
  EXPECT_FALSE(signet_session_server_certs_negotiated(it.session()));
  EXPECT_EQ(it.Setting(0), SIGNET_OK);
  EXPECT_EQ(it.SettingsDone(), SIGNET_OK);
  EXPECT_FALSE(signet_session_server_certs_negotiated(it.session()));
  EXPECT_EQ(it.Setting(1), SIGNET_OK);
  EXPECT_EQ(it.Setting(1), SIGNET_OK) << "the same again";
  EXPECT_TRUE(signet_session_server_certs_negotiated(it.session()));
  EXPECT_FALSE(signet_session_negotiated(it.session())) << "client certificates are another thing";
}

TEST_P(ServerCertsTest, AreNothingWithoutAClientHello_2) {
  ClientAndServer pair({.http = GetParam()});
  ServerCerts with(GetParam(), false);
  EXPECT_EQ(signet_session_settings(pair.session.get(), nullptr, 0), 1u);
  EXPECT_EQ(signet_session_peer_setting(pair.session.get(), with.numbers.server_cert_auth, 77),
            SIGNET_OK);
  EXPECT_FALSE(signet_session_server_certs_negotiated(pair.session.get()));
  EXPECT_FALSE(signet_session_wants_frame(pair.session.get(), 0x0c));
  EXPECT_EQ(signet_session_is_authoritative(pair.session.get(), "https://example.com"), kYes);
  EXPECT_EQ(signet_session_is_authoritative(pair.session.get(), "https://other.example"), kNo);
}

TEST_P(ServerCertsTest, NeedWhoJudgesThem) {
  Trust trust;
  const Options whole = TakingServerCerts(trust, GetParam());
  EXPECT_NO_THROW(ClientAndServer{whole});
  Options without = whole;
  without.verify_server_chain = nullptr;
  EXPECT_ANY_THROW(ClientAndServer{without});
  without = whole;
  without.covers_host = nullptr;
  EXPECT_ANY_THROW(ClientAndServer{without});
  without = whole;
  without.client_hello.pop_back();
  EXPECT_ANY_THROW(ClientAndServer{without});
  without = whole;
  without.server_names = nullptr;
  EXPECT_NO_THROW(ClientAndServer{without});
}

TEST_P(ServerCertsTest, ProgramsOfAnEarlierReleaseKnowNothingOfThem) {
  Trust trust;
  const Options options = TakingServerCerts(trust, GetParam());
  TlsPair tls;
  signet_session_config config{};
  ASSERT_EQ(signet_openssl_tls(tls.client(), &config.tls), SIGNET_OK);
  config.http = GetParam();
  config.origin = "https://example.com";
  config.client_hello = {options.client_hello.data(), options.client_hello.size()};
  signet_session* session = nullptr;
  config.size = offsetof(signet_session_config, client_hello);
  ASSERT_EQ(signet_session_new(&config, &session), SIGNET_OK);
  EXPECT_EQ(signet_session_settings(session, nullptr, 0), 1u);
  signet_session_free(session);
  config.size -= 1;
  EXPECT_EQ(signet_session_new(&config, &session), SIGNET_ERROR_ARGUMENT);
}

// -- certificates

TEST_P(ServerCertsTest, AreTakenAtAnyTimeAndTold_4_9_14) {
  ServerCerts it(GetParam());
  const ServerCertificate first = it.Covering("first.example");
  const ServerCertificate second = it.Covering("second.example");
  EXPECT_EQ(it.Prove("a", first), SIGNET_OK);
  EXPECT_EQ(it.pair->Deliver({it.numbers.server_certificate, it.server->Prove("b", second)}, 99999),
            SIGNET_OK);
  const std::vector<Event> events = it.pair->Events();
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].type, SIGNET_EVENT_SERVER_PROVED);
  EXPECT_EQ(events[0].request, 1u);
  EXPECT_EQ(events[0].subject, "first.example");
  EXPECT_EQ(events[0].reason, "");
  EXPECT_EQ(events[1].request, 2u);
  EXPECT_EQ(events[1].subject, "second.example");
  EXPECT_THAT(it.trust.verified, ElementsAre(first.chain, second.chain));
  EXPECT_THAT(it.pair->ClientFrames(), IsEmpty()) << "nothing is answered";
}

TEST_P(ServerCertsTest, AreOfEveryKindOfKeyThatWeOffered) {
  ServerCerts it(GetParam());
  const std::pair<uint16_t, TestKeyType> kinds[] = {{0x0403, TestKeyType::kP256},
                                                    {0x0804, TestKeyType::kRsa2048},
                                                    {0x0807, TestKeyType::kEd25519}};
  for (const auto& [scheme, type] : kinds) {
    const ServerCertificate certificate("DNS:a.example", type);
    EXPECT_EQ(it.Certificate(it.server->Prove(std::to_string(scheme), certificate, scheme)),
              SIGNET_OK);
  }
  EXPECT_THAT(it.trust.verified, SizeIs(3));
}

TEST_P(ServerCertsTest, MayHaveAnyContextOnce_B4) {
  ServerCerts it(GetParam());
  const ServerCertificate certificate = it.Covering("a.example");
  EXPECT_EQ(it.Prove("", certificate), SIGNET_OK);
  EXPECT_EQ(it.Prove(std::string(255, 'x'), certificate), SIGNET_OK);
  EXPECT_EQ(it.Prove("", certificate), SIGNET_ERROR_CONNECTION);
}

TEST_P(ServerCertsTest, MayHaveExtensionsOfOurClientHello) {
  ServerCerts it(GetParam());
  const ServerCertificate certificate = it.Covering("a.example");
  const wire::Bytes status_request = {0, 5, 0, 1, 1};
  EXPECT_EQ(
      it.Certificate(it.server->Sealed(
          HandMadeServer::Certificate("a", certificate.leaf, status_request), certificate.key)),
      SIGNET_OK);
  EXPECT_EQ(it.Authority("https://a.example"), kIfDns);
}

TEST_P(ServerCertsTest, ThatAreUnwantedAreNoError_16) {
  ServerCerts it(GetParam());
  const ServerCertificate certificate = it.Covering("a.example");
  it.trust.unwanted = "certificate has expired";
  EXPECT_EQ(it.Prove("a", certificate), SIGNET_OK);
  const std::vector<Event> events = it.pair->Events();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].type, SIGNET_EVENT_SERVER_UNWANTED);
  EXPECT_EQ(events[0].reason, "untrusted");
  EXPECT_EQ(events[0].detail, "certificate has expired");
  EXPECT_EQ(events[0].subject, "a.example");
  EXPECT_EQ(it.Authority("https://a.example"), kNo);
  it.trust.unwanted = nullptr;
  EXPECT_EQ(it.Prove("b", certificate), SIGNET_OK) << "the connection goes on";
  EXPECT_EQ(it.Authority("https://a.example"), kIfDns);
}

TEST_P(ServerCertsTest, WorkWhenBothCertificateFramesHaveOneNumber) {
  signet_code_points numbers;
  GetParam() == SIGNET_HTTP2 ? signet_code_points_h2(&numbers) : signet_code_points_h3(&numbers);
  numbers.certificate = numbers.server_certificate;
  ServerCerts it(GetParam(), [&](Options& options) { options.code_points = &numbers; });
  EXPECT_EQ(it.Prove("a", it.Covering("a.example")), SIGNET_OK);
  EXPECT_EQ(it.Authority("https://a.example"), kIfDns);
}

TEST_P(ServerCertsTest, HaveNamesThatAreSafeToPrint) {
  ServerCerts it(GetParam());
  const ServerCertificate certificate("DNS:a.example");
  it.trust.hosts[certificate.leaf] = {"a\x1b[2J\n\xff.example"};
  EXPECT_EQ(it.Prove("a", certificate), SIGNET_OK);
  EXPECT_EQ(it.pair->Events().at(0).subject, "a?[2J??.example");
}

// -- authority

TEST_P(ServerCertsTest, LetRequestsOfTheirOriginsTravelHere_11_17) {
  ServerCerts it(GetParam());
  EXPECT_EQ(it.Authority("https://a.example"), kNo);
  ASSERT_EQ(it.Prove("a", it.Covering("a.example")), SIGNET_OK);
  EXPECT_EQ(it.Authority("https://a.example"), kIfDns);
  EXPECT_EQ(it.Authority("https://A.Example:443"), kIfDns);
  EXPECT_EQ(it.Authority("https://a.example:8443"), kIfDns) << "a certificate has no ports";
  EXPECT_EQ(it.Authority("https://b.example"), kNo);
  EXPECT_EQ(it.Authority("http://a.example"), kNo);
  EXPECT_EQ(it.Authority("a.example"), kNo);
  EXPECT_EQ(signet_session_is_authoritative(it.session(), nullptr), kNo);
  EXPECT_EQ(it.Authority("https://example.com:443"), kYes) << "the connection's own";
  EXPECT_EQ(it.Authority("https://example.com:444"), kNo);
}

TEST_P(ServerCertsTest, NeedNoDnsWhereAnOriginFrameNamesTheOrigin_17) {
  ServerCerts it(GetParam());
  ASSERT_EQ(it.Prove("a", it.Covering("a.example")), SIGNET_OK);
  ASSERT_EQ(it.Prove("b", it.Covering("b.example")), SIGNET_OK);
  ASSERT_EQ(it.Origins({"https://a.example", "https://unproved.example"}), SIGNET_OK);
  EXPECT_EQ(it.Authority("https://a.example"), kYes);
  EXPECT_EQ(it.Authority("https://a.example:8443"), kNo);
  EXPECT_EQ(it.Authority("https://b.example"), kNo) << "the server does not name it";
  EXPECT_EQ(it.Authority("https://unproved.example"), kNo) << "naming is not proving";
  EXPECT_EQ(it.Authority("https://example.com"), kYes) << "the initial origin";
  ASSERT_EQ(it.Origins({"https://b.example"}), SIGNET_OK);
  EXPECT_EQ(it.Authority("https://b.example"), kYes);
}

TEST_P(ServerCertsTest, AreNotForMisdirectedRequests) {
  ServerCerts it(GetParam());
  ASSERT_EQ(it.Prove("a", it.Covering("a.example")), SIGNET_OK);
  EXPECT_EQ(signet_session_misdirected(it.session(), "https://a.example"), SIGNET_OK);
  EXPECT_EQ(it.Authority("https://a.example"), kNo);
  EXPECT_EQ(signet_session_misdirected(it.session(), "https://example.com"), SIGNET_OK);
  EXPECT_EQ(it.Authority("https://example.com"), kNo);
  EXPECT_EQ(signet_session_misdirected(it.session(), "a.example"), SIGNET_ERROR_ARGUMENT);
}

TEST_P(ServerCertsTest, AreOfNoUseOnceAnIdentityWasGiven_22) {
  ServerCerts it(GetParam());
  signet_setting setting[2];
  ASSERT_EQ(signet_session_peer_setting(it.session(), it.numbers.client_cert_auth, 1), SIGNET_OK);
  ASSERT_EQ(signet_session_settings(it.session(), setting, 2), 2u);
  ASSERT_EQ(
      signet_requester_peer_setting(it.pair->requester.get(), setting[0].id, setting[0].value),
      SIGNET_OK);
  ASSERT_EQ(it.Prove("a", it.Covering("a.example")), SIGNET_OK);
  ASSERT_EQ(it.Origins({"https://a.example"}), SIGNET_OK);
  it.pair->Ask(2);
  it.pair->TellAgent();
  ASSERT_EQ(it.pair->AgentSays(FakeAgent::Refusal(1, v1::DECLINE_REASON_DENIED, "")), SIGNET_OK);
  EXPECT_THAT(it.pair->ClientFrames(), SizeIs(1));
  EXPECT_EQ(it.Authority("https://a.example"), kYes) << "it was declined";
  ASSERT_EQ(it.pair->AgentSays(it.pair->agent.Proof(2)), SIGNET_OK);
  EXPECT_THAT(it.pair->ClientFrames(), SizeIs(1));
  EXPECT_EQ(it.Authority("https://a.example"), kNo);
  EXPECT_EQ(it.Authority("https://example.com"), kYes);
}

// The same TLS session, resumed: another connection with another exporter.
TEST_P(ServerCertsTest, DoNotOutliveTheirConnection_19_20) {
  const TlsContexts contexts("TLS_AES_128_GCM_SHA256");
  SSL_CTX_set_session_cache_mode(contexts.client.get(), SSL_SESS_CACHE_CLIENT);
  TlsPair fresh(contexts);
  ServerCerts first(GetParam(), [&](Options& options) { options.tls = &fresh; });
  const ServerCertificate certificate = first.Covering("a.example");
  const wire::Bytes authenticator = first.server->Prove("a", certificate);
  ASSERT_EQ(first.Certificate(authenticator), SIGNET_OK);
  EXPECT_EQ(first.Authority("https://a.example"), kIfDns);

  char byte = 0;
  SSL_read(first.pair->tls.client(), &byte, 1);  // the tickets
  SSL_SESSION* ticket = SSL_get1_session(first.pair->tls.client());
  TlsPair resumed(contexts, Handshake::kNotStarted);
  ASSERT_EQ(SSL_set_session(resumed.client(), ticket), 1);
  SSL_SESSION_free(ticket);
  for (int i = 0; i < 10 && !SSL_is_init_finished(resumed.server()); ++i) {
    SSL_do_handshake(resumed.client());
    SSL_do_handshake(resumed.server());
  }
  ASSERT_TRUE(SSL_session_reused(resumed.client()));

  ServerCerts second(GetParam(), [&](Options& options) { options.tls = &resumed; });
  second.trust.hosts = first.trust.hosts;
  EXPECT_EQ(second.Authority("https://a.example"), kNo);
  EXPECT_EQ(second.Prove("b", certificate), SIGNET_OK) << "it may be shown again";
  EXPECT_EQ(second.Authority("https://a.example"), kIfDns);
  EXPECT_EQ(second.Certificate(authenticator), SIGNET_ERROR_CONNECTION) << "but not replayed";
}

// -- ORIGIN frames

TEST_P(ServerCertsTest, WantOriginFrames) {
  ServerCerts it(GetParam());
  EXPECT_TRUE(signet_session_wants_frame(it.session(), 0x0c));
  EXPECT_TRUE(signet_session_wants_frame(it.session(), it.numbers.server_certificate));
}

TEST_P(ServerCertsTest, IgnoreOriginFramesOfOtherStreams) {
  ServerCerts it(GetParam());
  ASSERT_EQ(it.Prove("a", it.Covering("a.example")), SIGNET_OK);
  EXPECT_EQ(it.Origins({"https://b.example"}, 1), SIGNET_OK);
  EXPECT_EQ(it.Authority("https://a.example"), kIfDns);
}

TEST_P(ServerCertsTest, IgnoreOriginFramesOfAProxy) {
  ServerCerts it(GetParam(), [](Options& options) { options.peer_is_proxy = true; });
  EXPECT_FALSE(signet_session_wants_frame(it.session(), 0x0c));
  ASSERT_EQ(it.Prove("a", it.Covering("a.example")), SIGNET_OK);
  EXPECT_EQ(it.Origins({"https://b.example"}), SIGNET_ERROR_ARGUMENT);
  EXPECT_EQ(it.Authority("https://a.example"), kIfDns);
}

// -- limits

TEST_P(ServerCertsTest, AreLookedAtSoManyTimesAndThenIgnored) {
  ServerCerts it(GetParam());
  const ServerCertificate certificate = it.Covering("a.example");
  for (unsigned i = 0; i < SIGNET_MAX_SERVER_PROOFS; ++i) {
    ASSERT_EQ(it.Prove(std::to_string(i), certificate), SIGNET_OK);
  }
  EXPECT_THAT(it.pair->Events(), SizeIs(SIGNET_MAX_SERVER_PROOFS));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(it.Prove("late", it.Covering("late.example")), SIGNET_OK);
  EXPECT_EQ(it.Certificate({0}), SIGNET_OK) << "nobody looks at it";
  const std::vector<Event> events = it.pair->Events();
  ASSERT_THAT(events, SizeIs(1)) << "said once";
  EXPECT_EQ(events[0].type, SIGNET_EVENT_SERVER_UNWANTED);
  EXPECT_EQ(events[0].reason, "limit");
  EXPECT_EQ(it.Authority("https://late.example"), kNo);
  EXPECT_EQ(it.Authority("https://a.example"), kIfDns);
}

TEST_P(ServerCertsTest, AreKeptUpToASize) {
  ServerCerts it(GetParam());
  const TestCa ca = TestCa::Root("Test Servers");
  const CertificateOptions large = {.comment = std::string(100'000, 'x')};
  const ServerCertificate first(ca, large), second(ca, large), third(ca, large);
  for (const auto* each : {&first, &second, &third}) it.trust.hosts[each->leaf] = {"a.example"};
  it.trust.hosts[third.leaf] = {"c.example"};
  ASSERT_EQ(it.Prove("a", first), SIGNET_OK);
  ASSERT_EQ(it.Prove("b", second), SIGNET_OK);
  it.pair->Events();
  ASSERT_EQ(it.Prove("c", third), SIGNET_OK);
  EXPECT_EQ(it.pair->Events().at(0).reason, "limit");
  EXPECT_EQ(it.Authority("https://c.example"), kNo);
  ASSERT_EQ(it.Prove("d", first), SIGNET_OK);
  EXPECT_EQ(it.pair->Events().at(0).type, SIGNET_EVENT_SERVER_PROVED) << "kept already";
  ASSERT_EQ(it.Prove("e", it.Covering("small.example")), SIGNET_OK);
  EXPECT_EQ(it.Authority("https://small.example"), kIfDns);
}

}  // namespace
}  // namespace signet::test
