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

using ::testing::HasSubstr;
using ::testing::IsEmpty;
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
  // As Verify, but with whatever stands in for the signed content and for CertificateVerify.
  Bytes VerifyOf(const Bytes& content, const TestKey& key, uint16_t scheme,
                 Der (*spoil)(Der) = nullptr) const {
    const Der signature = key.Sign(scheme, content);
    return CertificateVerify(scheme, spoil != nullptr ? spoil(signature) : signature);
  }
  static Bytes CertificateVerify(uint16_t scheme, const Der& signature) {
    wire::Writer body;
    body.U16(scheme);
    body.Vector16(signature);
    return wire::BuildHandshakeMessage(wire::HandshakeType::kCertificateVerify, body.bytes())
        .value();
  }
  // Appends Finished over the messages.
  Bytes Sealed(const Bytes& certificate, const Bytes& verify) const {
    const Bytes messages = Concatenated(certificate, verify);
    return Concatenated(messages, Finished(Hash(messages)));
  }
  // Finished whose HMAC is over `data`.
  Bytes Finished(const Bytes& data) const {
    Bytes mac(32);
    tls_.hmac(tls_.user, tls_.hash, {finished_key_.data(), 32}, {data.data(), data.size()},
              mac.data());
    return wire::BuildFinished(mac).value();
  }
  // Handshake Context, request and messages, and their hash.
  Bytes Transcript(const Bytes& messages) const {
    return Concatenated(Concatenated(handshake_context_, request_.raw), messages);
  }
  Bytes Hash(const Bytes& messages) const {
    const Bytes transcript = Transcript(messages);
    const signet_bytes part = {transcript.data(), transcript.size()};
    Bytes digest(32);
    tls_.digest(tls_.user, tls_.hash, &part, 1, digest.data());
    return digest;
  }
  static Bytes Concatenated(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }
  const wire::CertificateRequest& request() const { return request_; }

 private:
  void Export(const char* label, Bytes& out) {
    out.resize(32);
    EXPECT_EQ(tls_.export_keying_material(tls_.user, label, out.data(), out.size()), 1);
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
    {"RawPublicKey_EA38",
     [](const HandMadeClient& client, const FakeAgent& agent) {
       const Bytes certificate =
           wire::BuildCertificate(client.request().context, {agent.key().public_key()}).value();
       return client.Sealed(certificate, client.Verify(certificate, agent.key(), 0x0403));
     },
     "signature"},
    {"Pkcs1ThoughRequested_EA41",
     [](const HandMadeClient& client, const FakeAgent& agent) {
       const TestKey rsa = TestKey::Generate(TestKeyType::kRsa2048);
       const Bytes certificate = wire::BuildCertificate(client.request().context,
                                                        {agent.authority().Issue(rsa.public_key())})
                                     .value();
       const Bytes content = wire::SignedContent(client.Hash(certificate));
       return client.Sealed(certificate, client.VerifyOf(content, rsa, 0x0401));
     },
     "scheme"},
    {"EcdsaSha1ThoughRequested_EA41",
     [](const HandMadeClient& client, const FakeAgent& agent) {
       const Bytes certificate = CertificateOf(client, agent);
       return client.Sealed(certificate, HandMadeClient::CertificateVerify(0x0203, Der(70, 1)));
     },
     "scheme"},
    {"HashOfAnotherCurve_EA41",  // P-256 with SHA-384, as TLS 1.2 allowed
     [](const HandMadeClient& client, const FakeAgent& agent) {
       const Bytes certificate = CertificateOf(client, agent);
       return client.Sealed(certificate, client.Verify(certificate, agent.key(), 0x0503));
     },
     "signature"},
    {"EcdsaNotDer_EA42",  // the length of the SEQUENCE in two bytes
     [](const HandMadeClient& client, const FakeAgent& agent) {
       const Bytes certificate = CertificateOf(client, agent);
       const Bytes content = wire::SignedContent(client.Hash(certificate));
       return client.Sealed(certificate,
                            client.VerifyOf(content, agent.key(), 0x0403, [](Der signature) {
                              signature.insert(signature.begin() + 1, 0x81);
                              return signature;
                            }));
     },
     "signature"},
    {"EcdsaTrailingByte_EA42",
     [](const HandMadeClient& client, const FakeAgent& agent) {
       const Bytes certificate = CertificateOf(client, agent);
       const Bytes content = wire::SignedContent(client.Hash(certificate));
       return client.Sealed(certificate,
                            client.VerifyOf(content, agent.key(), 0x0403, [](Der signature) {
                              signature.push_back(0);
                              return signature;
                            }));
     },
     "signature"},
    {"ContextStringOfTls13_EA46",
     [](const HandMadeClient& client, const FakeAgent& agent) {
       const Bytes certificate = CertificateOf(client, agent);
       const std::string text =
           std::string(64, ' ') + "TLS 1.3, client CertificateVerify" + std::string(1, '\0');
       const Bytes content =
           HandMadeClient::Concatenated(Bytes(text.begin(), text.end()), client.Hash(certificate));
       return client.Sealed(certificate, client.VerifyOf(content, agent.key(), 0x0403));
     },
     "signature"},
    {"SignedWithoutPadding_EA46",
     [](const HandMadeClient& client, const FakeAgent& agent) {
       const Bytes certificate = CertificateOf(client, agent);
       const Bytes hash = client.Hash(certificate);
       return client.Sealed(certificate, client.VerifyOf(hash, agent.key(), 0x0403));
     },
     "signature"},
    {"MacOfTheTranscriptItself_R10",
     [](const HandMadeClient& client, const FakeAgent& agent) {
       const Bytes certificate = CertificateOf(client, agent);
       const Bytes messages = HandMadeClient::Concatenated(
           certificate, client.Verify(certificate, agent.key(), 0x0403));
       return HandMadeClient::Concatenated(messages, client.Finished(client.Transcript(messages)));
     },
     "MAC"},
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
  const uint16_t schemes[] = {0x0403, 0x0503, 0x0401, 0x0203};
  signet_request request = Anything();
  request.signature_schemes = schemes;
  request.signature_scheme_count = 4;
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

TEST(RequesterRulesTest, AnInvalidAuthenticatorSpoilsNoOther) {
  ClientAndServer pair;
  const HandMadeClient first = AskedByHand(pair);
  const HandMadeClient second = AskedByHand(pair);
  const Bytes bad = CertificateOf(first, pair.agent);
  const TestKey other = TestKey::Generate(TestKeyType::kP256);
  EXPECT_EQ(AnswerTo(pair, first.Sealed(bad, first.Verify(bad, other, 0x0403))).result,
            SIGNET_RESULT_INVALID);
  const Bytes good = CertificateOf(second, pair.agent);
  EXPECT_EQ(
      AnswerTo(pair, second.Sealed(good, second.Verify(good, pair.agent.key(), 0x0403))).result,
      SIGNET_RESULT_IDENTITY);
}

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
