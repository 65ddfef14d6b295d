// One row for each rule of the server-certs draft, of RFC 9261 and of RFC 8336 that a server can
// break, and what the client makes of it. The numbers are rows of the checklist of the draft, EA...
// those of RFC 9261, B... the ambiguities of the draft.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <ostream>

#include "client-lib/src/server_certs_calls.h"
#include "ipc/wire/authenticator.h"

namespace signet::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using wire::Bytes;

struct Breach {
  const char* name;
  bool negotiate;
  std::function<signet_status(ServerCerts&)> commit;
  const char* h2;
  const char* h3;
  const char* detail;
};

void PrintTo(const Breach& row, std::ostream* out) { *out << row.name; }

const Breach kBreaches[] = {
    {"SettingAboveOne_10_B5", false, [](ServerCerts& it) { return it.Setting(2); },
     "PROTOCOL_ERROR", "H3_SETTINGS_ERROR", "server certificate setting is not 1"},
    {"SettingHuge_10_B5", true, [](ServerCerts& it) { return it.Setting(UINT64_MAX); },
     "PROTOCOL_ERROR", "H3_SETTINGS_ERROR", "server certificate setting is not 1"},
    {"SettingWithdrawn_3_B5_B10", true, [](ServerCerts& it) { return it.Setting(0); },
     "PROTOCOL_ERROR", "H3_SETTINGS_ERROR", "withdrew the server certificate setting"},
    {"WithoutSettings_2_6_B8", false,
     [](ServerCerts& it) { return it.Prove("a", it.Covering("a.example")); }, "PROTOCOL_ERROR",
     "H3_FRAME_UNEXPECTED", "without negotiation"},
    {"AfterTheOtherSettingOnly_2", false,
     [](ServerCerts& it) {
       EXPECT_EQ(signet_session_peer_setting(it.session(), it.numbers.client_cert_auth, 1),
                 SIGNET_OK);
       EXPECT_EQ(it.SettingsDone(), SIGNET_OK);
       return it.Prove("a", it.Covering("a.example"));
     },
     "PROTOCOL_ERROR", "H3_FRAME_UNEXPECTED", "without negotiation"},
    {"AfterSettingZero_1_2", false,
     [](ServerCerts& it) {
       EXPECT_EQ(it.Setting(0), SIGNET_OK);
       EXPECT_EQ(it.SettingsDone(), SIGNET_OK);
       return it.Prove("a", it.Covering("a.example"));
     },
     "PROTOCOL_ERROR", "H3_FRAME_UNEXPECTED", "without negotiation"},
    {"OnAStream_13", true,
     [](ServerCerts& it) {
       return it.Certificate(it.server->Prove("a", it.Covering("a.example")), 1);
     },
     "PROTOCOL_ERROR", "H3_FRAME_UNEXPECTED", "wrong stream"},
    {"TooLarge", true, [](ServerCerts& it) { return it.Certificate(Bytes(256 * 1024 + 1)); },
     "FRAME_SIZE_ERROR", "H3_EXCESSIVE_LOAD", "too large"},
    {"OriginTruncated", true,
     [](ServerCerts& it) {
       return it.pair->Deliver({0x0c, {0, 5, 'h'}});
     },
     "FRAME_SIZE_ERROR", "H3_FRAME_ERROR", "ORIGIN"},
    {"OriginOfOneByte", true,
     [](ServerCerts& it) {
       return it.pair->Deliver({0x0c, {0}});
     },
     "FRAME_SIZE_ERROR", "H3_FRAME_ERROR", "ORIGIN"},
    {"OriginTooLarge", true,
     [](ServerCerts& it) {
       return it.pair->Deliver({0x0c, Bytes(256 * 1024 + 1)});
     },
     "FRAME_SIZE_ERROR", "H3_EXCESSIVE_LOAD", "ORIGIN is too large"},
};

class ServerBreachTest : public ::testing::TestWithParam<std::tuple<signet_http, Breach>> {};

TEST_P(ServerBreachTest, IsAConnectionError) {
  const auto& [http, breach] = GetParam();
  ServerCerts it(http, breach.negotiate);
  ASSERT_EQ(breach.commit(it), SIGNET_ERROR_CONNECTION);
  const ConnectionError error = it.pair->ClientError();
  EXPECT_EQ(error.name, http == SIGNET_HTTP2 ? breach.h2 : breach.h3);
  EXPECT_THAT(error.detail, HasSubstr(breach.detail));
  EXPECT_EQ(it.Authority("https://a.example"), SIGNET_AUTHORITY_NO);
  EXPECT_EQ(it.Authority("https://example.com"), SIGNET_AUTHORITY_NO) << "nothing goes on it";
  EXPECT_EQ(it.Prove("z", it.Covering("a.example")), SIGNET_ERROR_STATE) << "it stays failed";
  EXPECT_THAT(it.trust.verified, IsEmpty());
}

template <typename Row>
std::string NameOf(const ::testing::TestParamInfo<std::tuple<signet_http, Row>>& test) {
  return std::string(std::get<1>(test.param).name) +
         (std::get<0>(test.param) == SIGNET_HTTP2 ? "_H2" : "_H3");
}

INSTANTIATE_TEST_SUITE_P(All, ServerBreachTest,
                         ::testing::Combine(::testing::Values(SIGNET_HTTP2, SIGNET_HTTP3),
                                            ::testing::ValuesIn(kBreaches)),
                         NameOf<Breach>);

// -- authenticators that are not valid (rows 14 and 15)

struct BadCertificate {
  const char* name;
  std::function<Bytes(ServerCerts&, const ServerCertificate&)> make;
  const char* detail;
};

void PrintTo(const BadCertificate& row, std::ostream* out) { *out << row.name; }

Bytes Good(const ServerCertificate& certificate) {
  return HandMadeServer::Certificate("a", certificate.leaf, {});
}

Bytes WithExtensions(ServerCerts& it, const ServerCertificate& certificate,
                     const Bytes& extensions) {
  return it.server->Sealed(HandMadeServer::Certificate("a", certificate.leaf, extensions),
                           certificate.key);
}

const BadCertificate kBadCertificates[] = {
    {"Nothing_B2", [](ServerCerts&, const ServerCertificate&) { return Bytes(); }, "not exactly"},
    {"Fragment_B2",
     [](ServerCerts& it, const ServerCertificate& certificate) {
       Bytes all = it.server->Prove("a", certificate);
       all.resize(all.size() / 2);
       return all;
     },
     "not exactly"},
    {"TwoInOneFrame_B2",
     [](ServerCerts& it, const ServerCertificate& certificate) {
       return Joined(it.server->Prove("a", certificate), it.server->Prove("b", certificate));
     },
     "not exactly"},
    {"CertificateAlone_EA30",
     [](ServerCerts&, const ServerCertificate& certificate) { return Good(certificate); },
     "not exactly"},
    {"Empty_EA69",
     [](ServerCerts& it, const ServerCertificate&) {
       return it.server->Finished(wire::BuildCertificate(Bytes(), {}).value());
     },
     "empty authenticator"},
    {"RefusalOfTls13_EA61",
     [](ServerCerts& it, const ServerCertificate&) {
       const Bytes none = wire::BuildCertificate(Bytes(), {}).value();
       return Joined(none, it.server->Finished(none));
     },
     "not exactly"},
    {"NoCertificates_EA61",
     [](ServerCerts& it, const ServerCertificate& certificate) {
       return it.server->Sealed(wire::BuildCertificate(Bytes(), {}).value(), certificate.key);
     },
     "no entries"},
    {"Compressed",
     [](ServerCerts& it, const ServerCertificate& certificate) {
       Bytes message = Good(certificate);
       message[0] = 25;
       return it.server->Sealed(message, certificate.key);
     },
     "not exactly"},
    {"OtherKey_EA46",
     [](ServerCerts& it, const ServerCertificate& certificate) {
       return it.server->Sealed(Good(certificate), TestKey::Generate(TestKeyType::kP256));
     },
     "signature"},
    {"OtherMac_EA49",
     [](ServerCerts& it, const ServerCertificate& certificate) {
       Bytes all = it.server->Prove("a", certificate);
       all.back() ^= 1;
       return all;
     },
     "MAC"},
    {"LabelsOfClients_EA24",
     [](ServerCerts& it, const ServerCertificate& certificate) {
       return HandMadeServer(it.pair->tls.server(), "client").Prove("a", certificate);
     },
     "MAC"},
    {"OfAnotherConnection_EA48",
     [](ServerCerts&, const ServerCertificate& certificate) {
       const TlsPair other;
       return HandMadeServer(other.server()).Prove("a", certificate);
     },
     "MAC"},
    {"SchemeNotOffered_EA44",
     [](ServerCerts& it, const ServerCertificate&) {
       return it.server->Prove("a", ServerCertificate("DNS:a.example", TestKeyType::kP384), 0x0503);
     },
     "scheme"},
    {"SchemeOfAnotherKey_EA41",
     [](ServerCerts& it, const ServerCertificate& certificate) {
       return it.server->Sealed(Good(certificate), TestKey::Generate(TestKeyType::kEd25519),
                                0x0807);
     },
     "signature"},
    {"ExtensionNotInOurClientHello_EA39",  // signed_certificate_timestamp
     [](ServerCerts& it, const ServerCertificate& certificate) {
       return WithExtensions(it, certificate, {0, 18, 0, 0});
     },
     "not requested"},
    {"ExtensionMisplaced_EA40",  // key_share, which our ClientHello has
     [](ServerCerts& it, const ServerCertificate& certificate) {
       return WithExtensions(it, certificate, {0, 51, 0, 0});
     },
     "malformed"},
    {"ExtensionTwice_EA40",
     [](ServerCerts& it, const ServerCertificate& certificate) {
       return WithExtensions(it, certificate, {0, 5, 0, 0, 0, 5, 0, 0});
     },
     "malformed"},
    {"NoCertificateInIt_EA38",
     [](ServerCerts& it, const ServerCertificate& certificate) {
       return it.server->Sealed(HandMadeServer::Certificate("a", certificate.key.public_key(), {}),
                                certificate.key);
     },
     "signature"},
    {"ContextOfAnEarlierOne_EA68_B4",
     [](ServerCerts& it, const ServerCertificate& certificate) {
       EXPECT_EQ(it.Prove("a", it.Covering("first.example")), SIGNET_OK);
       it.trust.verified.clear();
       return it.server->Prove("a", certificate);
     },
     "used before"},
    {"ContextOfARequest_EA34",
     [](ServerCerts& it, const ServerCertificate& certificate) {
       EXPECT_EQ(signet_session_peer_setting(it.session(), it.numbers.client_cert_auth, 1),
                 SIGNET_OK);
       EXPECT_EQ(it.pair->Deliver({it.numbers.authenticator_requests, RequestsPayload({"a"})}),
                 SIGNET_OK);
       return it.server->Prove("a", certificate);
     },
     "used before"},
};

class BadServerCertificateTest
    : public ::testing::TestWithParam<std::tuple<signet_http, BadCertificate>> {};

TEST_P(BadServerCertificateTest, EndsTheConnection_15_B6) {
  const auto& [http, row] = GetParam();
  ServerCerts it(http);
  const ServerCertificate certificate = it.Covering("a.example");
  const Bytes payload = row.make(it, certificate);
  ASSERT_EQ(it.Certificate(payload), SIGNET_ERROR_CONNECTION);
  const ConnectionError error = it.pair->ClientError();
  EXPECT_EQ(error.name, "SERVER_CERTIFICATE_INVALID");
  EXPECT_EQ(error.code, it.numbers.server_certificate_invalid);
  EXPECT_THAT(error.detail, HasSubstr(row.detail));
  EXPECT_EQ(it.Authority("https://a.example"), SIGNET_AUTHORITY_NO);
  EXPECT_THAT(it.trust.verified, IsEmpty()) << "nobody judges a chain whose key is not proved";
}

INSTANTIATE_TEST_SUITE_P(All, BadServerCertificateTest,
                         ::testing::Combine(::testing::Values(SIGNET_HTTP2, SIGNET_HTTP3),
                                            ::testing::ValuesIn(kBadCertificates)),
                         NameOf<BadCertificate>);

TEST(ServerCertsRulesTest, EveryFlippedBitIsInvalid) {
  ServerCerts first;
  const size_t size = first.server->Prove("a", first.Covering("a.example")).size();
  for (size_t i = 0; i < size; i += 7) {  // a connection for each: a sample
    ServerCerts it;
    Bytes authenticator = it.server->Prove("a", it.Covering("a.example"));
    authenticator[i] ^= 1 << (i % 8);
    EXPECT_EQ(it.Certificate(authenticator), SIGNET_ERROR_CONNECTION) << i;
    EXPECT_EQ(it.pair->ClientError().name, "SERVER_CERTIFICATE_INVALID");
  }
}

TEST(ServerCertsRulesTest, TheErrorCodeIsOfTheProfile_B11) {
  signet_code_points numbers;
  signet_code_points_h2(&numbers);
  numbers.server_certificate_invalid = 0xabcdef;
  ServerCerts it(SIGNET_HTTP2, [&](Options& options) { options.code_points = &numbers; });
  ASSERT_EQ(it.Certificate({}), SIGNET_ERROR_CONNECTION);
  EXPECT_EQ(it.pair->ClientError().code, 0xabcdefu);
}

// The context of a proof is used, too: no request may have it afterwards (RFC 9261 section 5.2).
TEST(ServerCertsRulesTest, NoRequestMayHaveTheContextOfACertificate) {
  ServerCerts it;
  ASSERT_EQ(signet_session_peer_setting(it.session(), it.numbers.client_cert_auth, 1), SIGNET_OK);
  ASSERT_EQ(it.Prove("a", it.Covering("a.example")), SIGNET_OK);
  EXPECT_EQ(it.pair->Deliver({it.numbers.authenticator_requests, RequestsPayload({"a"})}),
            SIGNET_ERROR_CONNECTION);
  EXPECT_EQ(it.pair->ClientError().name, "PROTOCOL_ERROR");
}

}  // namespace
}  // namespace signet::test
