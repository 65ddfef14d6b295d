// Authenticators and frames that no honest client sends, and what the server kit makes of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signet/openssl.h>
#include <signet/server.h>

#include <ostream>

#include "client-lib/src/requester_calls.h"
#include "ipc/wire/authenticator.h"
#include "ipc/wire/writer.h"
#include "tests/support/client_and_server.h"

namespace signet::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using wire::Bytes;
using wire::BytesView;

// The client's half of RFC 9261 by hand, for messages that libsignet would not send.
class HandMadeClient {
 public:
  HandMadeClient(SSL* ssl, const wire::CertificateRequest& request) : request_(request) {
    EXPECT_EQ(signet_openssl_tls(ssl, &tls_), SIGNET_OK);
    Export("EXPORTER-client authenticator handshake context", handshake_context_);
    Export("EXPORTER-client authenticator finished key", finished_key_);
  }

  Bytes Verify(const Bytes& certificate, const TestKey& key, uint16_t scheme) const {
    const Der signature = key.Sign(scheme, wire::SignedContent(Hash(certificate)));
    return wire::BuildCertificateVerify(static_cast<wire::SignatureScheme>(scheme), signature)
        .value();
  }
  // Appends Finished over the messages.
  Bytes Sealed(const Bytes& certificate, const Bytes& verify) const {
    Bytes authenticator = certificate;
    authenticator.insert(authenticator.end(), verify.begin(), verify.end());
    const Bytes hash = Hash(authenticator);
    Bytes mac(32);
    tls_.hmac(tls_.user, tls_.hash, {finished_key_.data(), 32}, {hash.data(), 32}, mac.data());
    const Bytes finished = wire::BuildFinished(mac).value();
    authenticator.insert(authenticator.end(), finished.begin(), finished.end());
    return authenticator;
  }
  const wire::CertificateRequest& request() const { return request_; }

 private:
  void Export(const char* label, Bytes& out) {
    out.resize(32);
    EXPECT_EQ(tls_.export_keying_material(tls_.user, label, out.data(), out.size()), 1);
  }
  Bytes Hash(BytesView messages) const {
    const signet_bytes parts[] = {{handshake_context_.data(), 32},
                                  {request_.raw.data(), request_.raw.size()},
                                  {messages.data(), messages.size()}};
    Bytes digest(32);
    tls_.digest(tls_.user, tls_.hash, parts, 3, digest.data());
    return digest;
  }

  const wire::CertificateRequest request_;
  signet_tls tls_{};
  Bytes handshake_context_, finished_key_;
};

HandMadeClient AskedByHand(ClientAndServer& pair, const signet_request& request = Anything()) {
  EXPECT_EQ(Request(pair, {request}), SIGNET_OK);
  return HandMadeClient(pair.tls.client(), RequestsIn(pair.ServerFrames()).at(0));
}

Answer AnswerTo(ClientAndServer& pair, const Bytes& authenticator) {
  EXPECT_EQ(Receive(pair, authenticator), SIGNET_OK);
  return pair.Answers().at(0);
}

TEST(RequesterRulesTest, AcceptsAnAuthenticatorMadeByHand) {
  ClientAndServer pair;
  const HandMadeClient client = AskedByHand(pair);
  const Bytes certificate =
      wire::BuildCertificate(client.request().context, pair.agent.chain()).value();
  const Answer answer = AnswerTo(
      pair, client.Sealed(certificate, client.Verify(certificate, pair.agent.key(), 0x0403)));
  EXPECT_EQ(answer.result, SIGNET_RESULT_IDENTITY) << answer.detail;
}

struct BadAuthenticator {
  const char* name;
  Bytes (*make)(const HandMadeClient&, const FakeAgent&);
  const char* detail;
};

void PrintTo(const BadAuthenticator& row, std::ostream* out) { *out << row.name; }

Bytes CertificateOf(const HandMadeClient& client, const FakeAgent& agent) {
  return wire::BuildCertificate(client.request().context, agent.chain()).value();
}

// One entry whose extension block is `extensions`.
Bytes WithExtensions(const HandMadeClient& client, const FakeAgent& agent, BytesView extensions) {
  wire::Writer entry, body;
  entry.Vector24(agent.chain()[0]);
  entry.Vector16(extensions);
  body.Vector8(client.request().context);
  body.Vector24(entry.bytes());
  return wire::BuildHandshakeMessage(wire::HandshakeType::kCertificate, body.bytes()).value();
}

const BadAuthenticator kBadAuthenticators[] = {
    {"WrongKey",
     [](const HandMadeClient& client, const FakeAgent& agent) {
       const Bytes certificate = CertificateOf(client, agent);
       const TestKey other = TestKey::Generate(TestKeyType::kP256);
       return client.Sealed(certificate, client.Verify(certificate, other, 0x0403));
     },
     "signature"},
    {"SchemeOfAnotherCurve",
     [](const HandMadeClient& client, const FakeAgent& agent) {
       const Bytes certificate = CertificateOf(client, agent);
       const TestKey other = TestKey::Generate(TestKeyType::kP384);
       return client.Sealed(certificate, client.Verify(certificate, other, 0x0503));
     },
     "signature"},
    {"SchemeNotRequested",
     [](const HandMadeClient& client, const FakeAgent& agent) {
       const Bytes certificate = CertificateOf(client, agent);
       const TestKey other = TestKey::Generate(TestKeyType::kEd25519);
       return client.Sealed(certificate, client.Verify(certificate, other, 0x0807));
     },
     "scheme"},
    {"RefusalOfTls13",  // row 61: a Certificate without entries, and Finished
     [](const HandMadeClient& client, const FakeAgent&) {
       return client.Sealed(wire::BuildCertificate(client.request().context, {}).value(), {});
     },
     "not exactly"},
    {"NoCertificates",
     [](const HandMadeClient& client, const FakeAgent& agent) {
       const Bytes certificate = wire::BuildCertificate(client.request().context, {}).value();
       return client.Sealed(certificate, client.Verify(certificate, agent.key(), 0x0403));
     },
     "no entries"},
    {"CompressedCertificate",
     [](const HandMadeClient& client, const FakeAgent& agent) {
       Bytes certificate = CertificateOf(client, agent);
       certificate[0] = 25;
       return client.Sealed(certificate, client.Verify(certificate, agent.key(), 0x0403));
     },
     "not exactly"},
    {"OtherContext",
     [](const HandMadeClient& client, const FakeAgent& agent) {
       const Bytes certificate = wire::BuildCertificate(Bytes(32, 7), agent.chain()).value();
       return client.Sealed(certificate, client.Verify(certificate, agent.key(), 0x0403));
     },
     "context"},
    {"ExtensionNotRequested",  // status_request
     [](const HandMadeClient& client, const FakeAgent& agent) {
       const Bytes certificate = WithExtensions(client, agent, Bytes{0, 5, 0, 0});
       return client.Sealed(certificate, client.Verify(certificate, agent.key(), 0x0403));
     },
     "not requested"},
    {"ExtensionRequestedButMisplaced",  // signature_algorithms
     [](const HandMadeClient& client, const FakeAgent& agent) {
       const Bytes certificate = WithExtensions(client, agent, Bytes{0, 13, 0, 0});
       return client.Sealed(certificate, client.Verify(certificate, agent.key(), 0x0403));
     },
     "malformed"},
    {"CertificateIsNoCertificate",
     [](const HandMadeClient& client, const FakeAgent& agent) {
       const Bytes certificate =
           wire::BuildCertificate(client.request().context, {Bytes{0x30, 0}}).value();
       return client.Sealed(certificate, client.Verify(certificate, agent.key(), 0x0403));
     },
     "signature"},
    {"Nothing", [](const HandMadeClient&, const FakeAgent&) { return Bytes(); }, "not exactly"},
    {"FinishedTwice",
     [](const HandMadeClient& client, const FakeAgent&) {
       Bytes finished = client.Sealed({}, {});
       finished.insert(finished.end(), finished.begin(), finished.end());
       return finished;
     },
     "not exactly"},
};

class BadAuthenticatorTest : public ::testing::TestWithParam<BadAuthenticator> {};

TEST_P(BadAuthenticatorTest, IsInvalidAndTakesOnePlace) {
  const uint16_t schemes[] = {0x0403, 0x0503};
  signet_request request = Anything();
  request.signature_schemes = schemes;
  request.signature_scheme_count = 2;
  ClientAndServer pair;
  const HandMadeClient client = AskedByHand(pair, request);
  const Answer answer = AnswerTo(pair, GetParam().make(client, pair.agent));
  EXPECT_EQ(answer.id, 1u);
  EXPECT_EQ(answer.result, SIGNET_RESULT_INVALID);
  EXPECT_THAT(answer.chain, IsEmpty());
  EXPECT_THAT(answer.detail, HasSubstr(GetParam().detail));
  EXPECT_EQ(signet_requester_available(pair.requester.get()), 4u);
  EXPECT_EQ(Receive(pair, {}), SIGNET_ERROR_CONNECTION) << "its place is taken";
}

INSTANTIATE_TEST_SUITE_P(All, BadAuthenticatorTest, ::testing::ValuesIn(kBadAuthenticators),
                         [](const auto& test) { return test.param.name; });

// -- breaches of the draft by a client

struct Breach {
  const char* name;
  signet_status (*commit)(ClientAndServer&, const signet_code_points&);
  const char* h2;
  const char* h3;
};

void PrintTo(const Breach& row, std::ostream* out) { *out << row.name; }

const Breach kBreaches[] = {
    {"Unsolicited_24_25",
     [](ClientAndServer& pair, const signet_code_points& numbers) {
       return Receive(pair, {}, 0, numbers.certificate);
     },
     "PROTOCOL_ERROR", "H3_FRAME_UNEXPECTED"},
    {"BeforeTheRequestLeft_24",
     [](ClientAndServer& pair, const signet_code_points& numbers) {
       EXPECT_EQ(Request(pair, {Anything()}), SIGNET_OK);
       return Receive(pair, {}, 0, numbers.certificate);
     },
     "PROTOCOL_ERROR", "H3_FRAME_UNEXPECTED"},
    {"MoreAnswersThanRequests_22",
     [](ClientAndServer& pair, const signet_code_points& numbers) {
       pair.Ask();
       EXPECT_EQ(Receive(pair, {}, 0, numbers.certificate), SIGNET_OK);
       return Receive(pair, {}, 0, numbers.certificate);
     },
     "PROTOCOL_ERROR", "H3_FRAME_UNEXPECTED"},
    {"CertificateOnAStream_A13",
     [](ClientAndServer& pair, const signet_code_points& numbers) {
       pair.Ask();
       return Receive(pair, {}, 1, numbers.certificate);
     },
     "PROTOCOL_ERROR", "H3_FRAME_UNEXPECTED"},
    {"RequestsFromAClient_18",
     [](ClientAndServer& pair, const signet_code_points& numbers) {
       return Receive(pair, RequestsPayload({"a"}), 0, numbers.authenticator_requests);
     },
     "PROTOCOL_ERROR", "H3_FRAME_UNEXPECTED"},
    {"ServerCertificateFromAClient_A2",
     [](ClientAndServer& pair, const signet_code_points& numbers) {
       return Receive(pair, {}, 0, numbers.server_certificate);
     },
     "PROTOCOL_ERROR", "H3_FRAME_UNEXPECTED"},
    {"SettingWithdrawn_7",
     [](ClientAndServer& pair, const signet_code_points& numbers) {
       return signet_requester_peer_setting(pair.requester.get(), numbers.client_cert_auth, 0);
     },
     "PROTOCOL_ERROR", "H3_SETTINGS_ERROR"},
};

class ClientBreachTest : public ::testing::TestWithParam<std::tuple<signet_http, Breach>> {};

TEST_P(ClientBreachTest, IsAConnectionError) {
  const auto& [http, breach] = GetParam();
  ClientAndServer pair({.http = http});
  signet_code_points numbers;
  http == SIGNET_HTTP2 ? signet_code_points_h2(&numbers) : signet_code_points_h3(&numbers);
  ASSERT_EQ(breach.commit(pair, numbers), SIGNET_ERROR_CONNECTION);
  EXPECT_EQ(pair.ServerError().name, http == SIGNET_HTTP2 ? breach.h2 : breach.h3);
  EXPECT_EQ(signet_requester_available(pair.requester.get()), 0u);
  EXPECT_EQ(Request(pair, {Anything()}), SIGNET_ERROR_STATE);
  EXPECT_THAT(pair.ServerFrames(), IsEmpty());
  EXPECT_THAT(pair.Answers(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(All, ClientBreachTest,
                         ::testing::Combine(::testing::Values(SIGNET_HTTP2, SIGNET_HTTP3),
                                            ::testing::ValuesIn(kBreaches)),
                         [](const auto& test) {
                           return std::string(std::get<1>(test.param).name) +
                                  (std::get<0>(test.param) == SIGNET_HTTP2 ? "_H2" : "_H3");
                         });

}  // namespace
}  // namespace signet::test
