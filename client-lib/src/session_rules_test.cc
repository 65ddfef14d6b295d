// One row for each rule of the client-certs draft that a server can break, and what the client
// makes of it. The numbers are rows of the checklist of the draft, A… its ambiguities.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signet/client.h>
#include <signet/openssl.h>
#include <signet/server.h>

#include <functional>
#include <ostream>

#include "ipc/wire/authenticator.h"
#include "ipc/wire/writer.h"
#include "tests/support/client_and_server.h"
#include "tests/support/hex.h"

namespace signet::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Server {
  ClientAndServer& pair;
  signet_code_points numbers;

  signet_status Requests(const wire::Bytes& payload, uint64_t stream = 0) const {
    return pair.Deliver({numbers.authenticator_requests, payload}, 0, stream);
  }
  signet_status Setting(uint64_t value) const {
    return signet_session_peer_setting(pair.session.get(), numbers.client_cert_auth, value);
  }
};

struct Breach {
  const char* name;
  bool negotiate;
  std::function<signet_status(const Server&)> commit;
  const char* h2;
  const char* h3;
  const char* detail;
};

void PrintTo(const Breach& row, std::ostream* out) { *out << row.name; }

wire::Bytes Element(const wire::Bytes& request) {
  wire::Writer writer;
  writer.Varint(request.size());
  writer.Append(request);
  return writer.Take();
}

wire::Bytes Without(wire::Bytes bytes, size_t count) {
  bytes.resize(bytes.size() - count);
  return bytes;
}

// A request of another type: ClientCertificateRequest belongs to clients.
wire::Bytes Type17() {
  wire::Bytes request = RequestMessage("a");
  request[0] = 17;
  return request;
}

wire::Bytes Concatenated(wire::Bytes a, const wire::Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const Breach kBreaches[] = {
    {"SettingAboveOne_4_A6", false, [](const Server& server) { return server.Setting(2); },
     "PROTOCOL_ERROR", "H3_SETTINGS_ERROR", "is not 1"},
    {"SettingHuge_4_A6", false, [](const Server& server) { return server.Setting(UINT64_MAX); },
     "PROTOCOL_ERROR", "H3_SETTINGS_ERROR", "is not 1"},
    {"SettingWithdrawn_7_A12", true, [](const Server& server) { return server.Setting(0); },
     "PROTOCOL_ERROR", "H3_SETTINGS_ERROR", "withdrew"},
    {"RequestsWithoutNegotiation_1_6_A12", false,
     [](const Server& server) { return server.Requests(RequestsPayload({"a"})); }, "PROTOCOL_ERROR",
     "H3_FRAME_UNEXPECTED", "without negotiation"},
    {"RequestsAfterSettingZero_1_3", false,
     [](const Server& server) {
       server.Setting(0);
       signet_session_peer_settings_done(server.pair.session.get());
       return server.Requests(RequestsPayload({"a"}));
     },
     "PROTOCOL_ERROR", "H3_FRAME_UNEXPECTED", "without negotiation"},
    {"RequestsOnAStream_18_20", true,
     [](const Server& server) { return server.Requests(RequestsPayload({"a"}), 1); },
     "PROTOCOL_ERROR", "H3_FRAME_UNEXPECTED", "wrong stream"},
    {"EmptyList_16_19", true, [](const Server& server) { return server.Requests({}); },
     "PROTOCOL_ERROR", "H3_MESSAGE_ERROR", "malformed"},
    {"EmptyElement_A9", true, [](const Server& server) { return server.Requests({0}); },
     "PROTOCOL_ERROR", "H3_MESSAGE_ERROR", "malformed"},
    {"TruncatedElement_19", true,
     [](const Server& server) { return server.Requests(Without(RequestsPayload({"a"}), 1)); },
     "PROTOCOL_ERROR", "H3_MESSAGE_ERROR", "malformed"},
    {"TruncatedLength_19", true, [](const Server& server) { return server.Requests({0x40}); },
     "PROTOCOL_ERROR", "H3_MESSAGE_ERROR", "malformed"},
    {"TruncatedRequest_19", true,
     [](const Server& server) { return server.Requests(Element(Without(RequestMessage("a"), 1))); },
     "PROTOCOL_ERROR", "H3_MESSAGE_ERROR", "malformed"},
    {"RequestWithTrailingByte_19", true,
     [](const Server& server) {
       return server.Requests(Element(Concatenated(RequestMessage("a"), {0})));
     },
     "PROTOCOL_ERROR", "H3_MESSAGE_ERROR", "malformed"},
    {"RequestWithoutSchemes_A17", true,  // context "a", no extensions
     [](const Server& server) {
       return server.Requests(Element({13, 0, 0, 4, 1, 'a', 0, 0}));
     },
     "PROTOCOL_ERROR", "H3_MESSAGE_ERROR", "malformed"},
    {"RequestOfAClient_A1", true,
     [](const Server& server) { return server.Requests(Element(Type17())); }, "PROTOCOL_ERROR",
     "H3_MESSAGE_ERROR", "malformed"},
    {"SecondOfTwoMalformed_A16", true,
     [](const Server& server) {
       return server.Requests(Concatenated(RequestsPayload({"a"}), Element({13})));
     },
     "PROTOCOL_ERROR", "H3_MESSAGE_ERROR", "malformed"},
    {"ContextTwiceInAFrame_A15", true,
     [](const Server& server) {
       return server.Requests(Concatenated(RequestsPayload({"a"}), RequestsPayload({"a"})));
     },
     "PROTOCOL_ERROR", "H3_MESSAGE_ERROR", "malformed"},
    {"ContextOfAnEarlierFrame_A15", true,
     [](const Server& server) {
       EXPECT_EQ(server.Requests(RequestsPayload({"a"})), SIGNET_OK);
       return server.Requests(RequestsPayload({"b", "a"}));
     },
     "PROTOCOL_ERROR", "H3_MESSAGE_ERROR", "used again"},
    {"ContextOfAnAnsweredRequest_A15", true,
     [](const Server& server) {
       EXPECT_EQ(server.Requests(RequestsPayload({"a"})), SIGNET_OK);
       signet_session_advance(server.pair.session.get(), 1'000'000);
       EXPECT_EQ(server.pair.ClientFrames().size(), 1u);
       return server.Requests(RequestsPayload({"a"}));
     },
     "PROTOCOL_ERROR", "H3_MESSAGE_ERROR", "used again"},
    {"OverTheLimitInOneFrame_14", true,
     [](const Server& server) {
       return server.Requests(RequestsPayload({"a", "b", "c", "d", "e"}));
     },
     "PROTOCOL_ERROR", "H3_FRAME_UNEXPECTED", "limit"},
    {"OverTheLimitInTwoFrames_14", true,
     [](const Server& server) {
       EXPECT_EQ(server.Requests(RequestsPayload({"a", "b", "c"})), SIGNET_OK);
       return server.Requests(RequestsPayload({"d", "e"}));
     },
     "PROTOCOL_ERROR", "H3_FRAME_UNEXPECTED", "limit"},
    {"FrameTooLarge_39", true,
     [](const Server& server) { return server.Requests(wire::Bytes(256 * 1024 + 1)); },
     "FRAME_SIZE_ERROR", "H3_EXCESSIVE_LOAD", "too large"},
    {"ServerCertificate_27", true,
     [](const Server& server) {
       return server.pair.Deliver({server.numbers.server_certificate, {}});
     },
     "PROTOCOL_ERROR", "H3_FRAME_UNEXPECTED", "server certificate"},
    {"ClientCertificate_A2", true,
     [](const Server& server) {
       return server.pair.Deliver({server.numbers.certificate, {}});
     },
     "PROTOCOL_ERROR", "H3_FRAME_UNEXPECTED", "client certificate"},
};

const std::pair<const char*, uint64_t> kCodes[] = {
    {"PROTOCOL_ERROR", 0x1},      {"FRAME_SIZE_ERROR", 0x6},    {"H3_FRAME_UNEXPECTED", 0x105},
    {"H3_EXCESSIVE_LOAD", 0x107}, {"H3_SETTINGS_ERROR", 0x109}, {"H3_MESSAGE_ERROR", 0x10e},
};

uint64_t CodeOf(const std::string& name) {
  for (const auto& [known, code] : kCodes) {
    if (known == name) return code;
  }
  return 0;
}

class BreachTest : public ::testing::TestWithParam<std::tuple<signet_http, Breach>> {};

TEST_P(BreachTest, IsAConnectionErrorAndNothingIsSigned) {
  const auto& [http, breach] = GetParam();
  ClientAndServer pair({.http = http, .negotiate = breach.negotiate});
  Server server{pair, {}};
  http == SIGNET_HTTP2 ? signet_code_points_h2(&server.numbers)
                       : signet_code_points_h3(&server.numbers);
  signet_connection_error none;
  EXPECT_EQ(signet_session_error(pair.session.get(), &none), SIGNET_ERROR_STATE);

  ASSERT_EQ(breach.commit(server), SIGNET_ERROR_CONNECTION);

  const ConnectionError error = pair.ClientError();
  EXPECT_EQ(error.name, http == SIGNET_HTTP2 ? breach.h2 : breach.h3);
  EXPECT_EQ(error.code, CodeOf(error.name));
  EXPECT_THAT(error.detail, HasSubstr(breach.detail));
  pair.TellAgent();
  for (const v1::ClientMessage& call : pair.agent.calls()) EXPECT_FALSE(call.has_authenticate());
  EXPECT_THAT(pair.ClientFrames(), IsEmpty());
  EXPECT_EQ(signet_session_outstanding(pair.session.get()), 0u);
  EXPECT_EQ(signet_session_deadline(pair.session.get()), SIGNET_NO_DEADLINE);
  EXPECT_EQ(server.Requests(RequestsPayload({"z"})), SIGNET_ERROR_STATE) << "it stays failed";
}

INSTANTIATE_TEST_SUITE_P(All, BreachTest,
                         ::testing::Combine(::testing::Values(SIGNET_HTTP2, SIGNET_HTTP3),
                                            ::testing::ValuesIn(kBreaches)),
                         [](const auto& test) {
                           return std::string(std::get<1>(test.param).name) +
                                  (std::get<0>(test.param) == SIGNET_HTTP2 ? "_H2" : "_H3");
                         });

TEST(SessionRulesTest, CancelsWhatTheAgentWorksOnWhenTheConnectionFails) {
  ClientAndServer pair;
  pair.Ask(2);
  pair.TellAgent();
  ASSERT_EQ(pair.AgentSays(pair.agent.Proof(1)), SIGNET_OK);
  ASSERT_EQ(pair.Deliver({0xf4, {}}), SIGNET_ERROR_CONNECTION);
  pair.TellAgent();
  EXPECT_THAT(pair.agent.cancelled(), ::testing::ElementsAre(2));
  EXPECT_EQ(pair.AgentSays(pair.agent.Proof(2)), SIGNET_OK);
  EXPECT_THAT(pair.ClientFrames(), IsEmpty());
}

// -- what must not be an error

TEST(SessionRulesTest, NeedsBothSidesAndAWholeSettingsFrame) {
  ClientAndServer pair({.negotiate = false});
  EXPECT_FALSE(signet_session_negotiated(pair.session.get()));
  EXPECT_EQ(signet_session_peer_setting(pair.session.get(), 0xf0c4, 0), SIGNET_OK);
  EXPECT_EQ(signet_session_peer_settings_done(pair.session.get()), SIGNET_OK);
  EXPECT_FALSE(signet_session_negotiated(pair.session.get()));
  EXPECT_EQ(signet_session_peer_setting(pair.session.get(), 0xf0c4, 1), SIGNET_OK);
  EXPECT_TRUE(signet_session_negotiated(pair.session.get()));
}

TEST(SessionRulesTest, IgnoresOtherSettings) {
  ClientAndServer pair;
  for (const uint64_t id : {uint64_t{1}, uint64_t{0xf0c5}, UINT64_MAX}) {
    EXPECT_EQ(signet_session_peer_setting(pair.session.get(), id, 77), SIGNET_OK);
  }
}

TEST(SessionRulesTest, RepeatedSettingIsFine) {
  ClientAndServer pair;
  EXPECT_EQ(signet_session_peer_setting(pair.session.get(), 0xf0c4, 1), SIGNET_OK);
}

TEST(SessionRulesTest, WantsOnlyTheFramesOfTheDrafts) {
  ClientAndServer pair;
  for (uint64_t type = 0; type < 0x200; ++type) {
    EXPECT_EQ(signet_session_wants_frame(pair.session.get(), type), type >= 0xf4 && type <= 0xf6);
  }
  EXPECT_EQ(pair.Deliver({0x0, {}}), SIGNET_ERROR_ARGUMENT);
}

TEST(SessionRulesTest, LetsTheServerAskAgainAfterEachAnswer) {
  ClientAndServer pair({.limit = 1});
  for (uint64_t id = 1; id <= 5; ++id) {
    pair.Ask();
    pair.TellAgent();
    ASSERT_EQ(pair.AgentSays(pair.agent.Proof(id)), SIGNET_OK);
    EXPECT_EQ(pair.Finish().at(0).id, id);
  }
}

TEST(SessionRulesTest, AcceptsAContextOfZeroBytesOnce) {
  ClientAndServer pair;
  EXPECT_EQ(pair.Deliver({0xf4, RequestsPayload({""})}), SIGNET_OK);
  EXPECT_EQ(pair.Deliver({0xf4, RequestsPayload({""})}), SIGNET_ERROR_CONNECTION);
}

TEST(SessionRulesTest, AcceptsALengthLongerThanNeeded) {
  const wire::Bytes request = RequestMessage("a");
  wire::Bytes payload = {0x80, 0, 0, static_cast<uint8_t>(request.size())};
  payload.insert(payload.end(), request.begin(), request.end());
  ClientAndServer pair;
  EXPECT_EQ(pair.Deliver({0xf4, payload}), SIGNET_OK);
}

// The transcript has the request as it came, with an extension that nobody knows before the others,
// where nothing that encodes anew would put it, and one behind them.
TEST(SessionRulesTest, SkipsUnknownExtensionsAndSignsThemAsTheyCame) {
  const wire::Bytes request = signet::testing::FromHex(
      "0d00001b 0161 0017 1a1a0002abcd 000d0006000404030807 ff000003010203");
  ClientAndServer pair;
  ASSERT_EQ(pair.Deliver({0xf4, Element(request)}), SIGNET_OK);
  pair.TellAgent();
  const std::string& asked = pair.agent.call(1).request();
  EXPECT_EQ(wire::Bytes(asked.begin(), asked.end()), request);
  ASSERT_EQ(pair.AgentSays(pair.agent.Proof(1)), SIGNET_OK);
  const wire::Bytes authenticator = pair.ClientFrames().at(0).payload;
  signet_tls tls;
  ASSERT_EQ(signet_openssl_tls(pair.tls.server(), &tls), SIGNET_OK);
  signet_result result{};
  size_t length = 0;
  ASSERT_EQ(
      signet_validate(&tls, 1, {request.data(), request.size()},
                      {authenticator.data(), authenticator.size()}, &result, nullptr, 0, &length),
      SIGNET_OK);
  EXPECT_EQ(result, SIGNET_RESULT_IDENTITY);
}

// What Finished must be for this request and these messages, on the server's end.
wire::Bytes FinishedOf(SSL* server, const wire::Bytes& request, const wire::Bytes& messages) {
  signet_tls tls;
  EXPECT_EQ(signet_openssl_tls(server, &tls), SIGNET_OK);
  wire::Bytes context(32), key(32), hash(32), mac(32);
  tls.export_keying_material(tls.user, "EXPORTER-client authenticator handshake context",
                             context.data(), 32);
  tls.export_keying_material(tls.user, "EXPORTER-client authenticator finished key", key.data(),
                             32);
  const signet_bytes parts[] = {
      {context.data(), 32}, {request.data(), request.size()}, {messages.data(), messages.size()}};
  tls.digest(tls.user, tls.hash, parts, 3, hash.data());
  tls.hmac(tls.user, tls.hash, {key.data(), 32}, {hash.data(), 32}, mac.data());
  return wire::BuildFinished(mac).value();
}

// A1: the forms that the draft's text could also mean. The transcript has the bytes as they came.
TEST(SessionRulesTest, TakesOtherFormsOfRequestsOnlyWhereTheProfileLetsThemIn) {
  const wire::Bytes normal = RequestMessage("a");
  const std::pair<wire::Bytes, uint64_t> forms[] = {
      {Type17(), SIGNET_ACCEPT_TYPE_17},
      {wire::Bytes(normal.begin() + 4, normal.end()), SIGNET_ACCEPT_BARE}};
  for (const auto& [request, form] : forms) {
    for (uint64_t accepted = 0; accepted < 4; ++accepted) {
      signet_code_points numbers;
      signet_code_points_h2(&numbers);
      numbers.request_forms = accepted;
      ClientAndServer pair({.code_points = &numbers});
      if ((accepted & form) == 0) {
        EXPECT_EQ(pair.Deliver({0xf4, Element(request)}), SIGNET_ERROR_CONNECTION);
        EXPECT_EQ(pair.ClientError().name, "PROTOCOL_ERROR");
        continue;
      }
      ASSERT_EQ(pair.Deliver({0xf4, Element(request)}), SIGNET_OK);
      pair.TellAgent();
      const v1::AgentMessage proof = pair.agent.Proof(1);
      const std::string& asked = pair.agent.call(1).request();
      EXPECT_EQ(wire::Bytes(asked.begin(), asked.end()), request);
      ASSERT_EQ(pair.AgentSays(proof), SIGNET_OK);
      const v1::Authenticator& made = proof.authenticate().authenticator();
      const std::string text = made.certificate() + made.certificate_verify();
      const wire::Bytes messages(text.begin(), text.end());
      EXPECT_EQ(pair.ClientFrames().at(0).payload,
                Concatenated(messages, FinishedOf(pair.tls.server(), request, messages)));
    }
  }
}

TEST(SessionRulesTest, WorksWhenBothCertificateFramesHaveOneNumber) {
  signet_code_points numbers;
  signet_code_points_h2(&numbers);
  numbers.server_certificate = numbers.certificate;
  ClientAndServer pair({.code_points = &numbers});
  pair.Ask();
  pair.TellAgent();
  ASSERT_EQ(pair.AgentSays(pair.agent.Proof(1)), SIGNET_OK);
  EXPECT_EQ(pair.Finish().at(0).result, SIGNET_RESULT_IDENTITY);
  EXPECT_EQ(pair.Deliver({numbers.certificate, {}}), SIGNET_ERROR_CONNECTION);
}

}  // namespace
}  // namespace signet::test
