// When authenticators may be made, and what their keys are exported from; also on connections with
// early data both ways (RFC 8446 sections 2.3 and 4.2.10).
#include <gtest/gtest.h>
#include <signet/client.h>
#include <signet/openssl.h>
#include <signet/server.h>

#include <memory>
#include <string>

#include "tests/support/exporter_by_hand.h"
#include "tests/support/test_ca.h"
#include "tests/support/tls_pair.h"

namespace signet::test {
namespace {

struct Suite {
  const char* name;
  const EVP_MD* (*hash)();
};
constexpr Suite kSuites[] = {{"TLS_AES_128_GCM_SHA256", EVP_sha256},
                             {"TLS_AES_256_GCM_SHA384", EVP_sha384}};

struct FreeSession {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};

class ExporterTest : public ::testing::TestWithParam<Suite> {
 protected:
  ExporterTest() : contexts_(GetParam().name) {
    SSL_CTX_set_app_data(contexts_.server.get(), &secrets_);
    SSL_CTX_set_keylog_callback(contexts_.server.get(), NoteSecret);
    SSL_CTX_set_max_early_data(contexts_.server.get(), 1024);
  }

  static signet_status Tls(SSL* ssl) {
    signet_tls tls;
    return signet_openssl_tls(ssl, &tls);
  }
  static Der Exported(SSL* ssl) {
    signet_tls tls;
    EXPECT_EQ(signet_openssl_tls(ssl, &tls), SIGNET_OK);
    Der out(EVP_MD_get_size(GetParam().hash()));
    EXPECT_EQ(tls.export_keying_material(tls.user, kHandshakeContextLabel, out.data(), out.size()),
              1);
    return out;
  }
  Der From(const char* secret) { return ExportedFrom(GetParam().hash(), secrets_.at(secret)); }

  // A second connection, on which the client may send early data.
  TlsPair Resumed() {
    TlsPair first(contexts_);
    char byte;
    EXPECT_EQ(SSL_read(first.client(), &byte, 1), -1) << "tickets only";
    const std::unique_ptr<SSL_SESSION, FreeSession> session(SSL_get1_session(first.client()));
    EXPECT_EQ(SSL_SESSION_get_max_early_data(session.get()), 1024u);
    // A connection that is only cut takes its session with it.
    SSL_set_shutdown(first.client(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_set_shutdown(first.server(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    exported_before_ = Exported(first.client());
    secrets_.clear();
    TlsPair second(contexts_, Handshake::kNotStarted);
    EXPECT_EQ(SSL_set_session(second.client(), session.get()), 1);
    return second;
  }

  const TlsContexts contexts_;
  Secrets secrets_;
  Der exported_before_;  // on the connection that was resumed
};

TEST_P(ExporterTest, TakesTheExporterMasterSecretAndAnEmptyContext) {
  const TlsPair pair(contexts_);
  EXPECT_EQ(Exported(pair.client()), From("EXPORTER_SECRET"));
  EXPECT_EQ(Exported(pair.server()), From("EXPORTER_SECRET"));
}

// What the client has sent and the server not yet read, record by record.
std::vector<Der> TakeRecords(const TlsPair& pair) {
  BIO* arrived = SSL_get_rbio(pair.server());
  Der bytes(BIO_pending(arrived));
  EXPECT_EQ(BIO_read(arrived, bytes.data(), static_cast<int>(bytes.size())), bytes.size());
  std::vector<Der> records;
  for (size_t at = 0; at + 5 <= bytes.size();) {
    const size_t size = 5 + bytes[at + 3] * 256 + bytes[at + 4];
    records.emplace_back(bytes.begin() + at, bytes.begin() + at + size);
    at += size;
  }
  return records;
}

void Send(const TlsPair& pair, const Der& record) {
  EXPECT_EQ(BIO_write(SSL_get_wbio(pair.client()), record.data(), static_cast<int>(record.size())),
            record.size());
}

// The client's early data is accepted, the server answers it in 0.5-RTT, and neither end may make
// anything before the other's Finished is verified.
TEST_P(ExporterTest, WithEarlyDataWaitsForTheEndOfTheHandshake) {
  for (const bool spoiled : {false, true}) {
    const TlsPair pair = Resumed();
    SSL* client = pair.client();
    SSL* server = pair.server();
    size_t count = 0;
    char data[8];

    ASSERT_EQ(SSL_write_early_data(client, "early", 5, &count), 1);
    EXPECT_EQ(Tls(client), SIGNET_ERROR_STATE);
    ASSERT_EQ(SSL_read_early_data(server, data, sizeof data, &count), SSL_READ_EARLY_DATA_SUCCESS);
    EXPECT_EQ(std::string(data, count), "early");
    EXPECT_EQ(Tls(server), SIGNET_ERROR_STATE);
    ASSERT_EQ(SSL_write_early_data(server, "half", 4, &count), 1);
    EXPECT_EQ(Tls(server), SIGNET_ERROR_STATE);

    ASSERT_EQ(SSL_do_handshake(client), 1);
    EXPECT_EQ(Tls(client), SIGNET_OK);
    EXPECT_EQ(SSL_get_early_data_status(client), SSL_EARLY_DATA_ACCEPTED);
    std::vector<Der> records = TakeRecords(pair);
    ASSERT_EQ(records.size(), 2u) << "EndOfEarlyData and Finished";
    Send(pair, records[0]);
    EXPECT_EQ(SSL_read_early_data(server, data, sizeof data, &count), SSL_READ_EARLY_DATA_FINISH);
    EXPECT_EQ(Tls(server), SIGNET_ERROR_STATE) << "early data ended; Finished is not there yet";

    if (spoiled) records[1].back() ^= 1;
    Send(pair, records[1]);
    EXPECT_EQ(SSL_do_handshake(server), spoiled ? -1 : 1);
    EXPECT_EQ(Tls(server), spoiled ? SIGNET_ERROR_STATE : SIGNET_OK);
    EXPECT_EQ(SSL_get_early_data_status(server), SSL_EARLY_DATA_ACCEPTED);
    ERR_clear_error();
  }
}

// Who has recorded a client can have its early data accepted once more by a server that does not
// remember it, and nothing else: the end of the handshake is not theirs (RFC 8446 section 8).
TEST_P(ExporterTest, AReplayIsOverBeforeAnythingMayBeMade) {
  for (const bool remembered : {true, false}) {
    if (!remembered) SSL_CTX_set_options(contexts_.server.get(), SSL_OP_NO_ANTI_REPLAY);
    const TlsPair pair = Resumed();
    size_t count = 0;
    char data[8];
    ASSERT_EQ(SSL_write_early_data(pair.client(), "early", 5, &count), 1);
    std::vector<Der> recorded = TakeRecords(pair);
    for (const Der& record : recorded) Send(pair, record);
    ASSERT_EQ(SSL_read_early_data(pair.server(), data, sizeof data, &count),
              SSL_READ_EARLY_DATA_SUCCESS);
    ASSERT_EQ(SSL_do_handshake(pair.client()), 1);
    for (const Der& record : TakeRecords(pair)) {
      Send(pair, record);
      recorded.push_back(record);
    }
    ASSERT_EQ(SSL_read_early_data(pair.server(), data, sizeof data, &count),
              SSL_READ_EARLY_DATA_FINISH);
    ASSERT_EQ(SSL_do_handshake(pair.server()), 1);

    const TlsPair replay(contexts_, Handshake::kNotStarted);
    SSL* server = replay.server();
    for (const Der& record : recorded) Send(replay, record);
    EXPECT_EQ(SSL_read_early_data(server, data, sizeof data, &count),
              remembered ? SSL_READ_EARLY_DATA_FINISH : SSL_READ_EARLY_DATA_SUCCESS);
    EXPECT_EQ(std::string(data, count), remembered ? "" : "early");
    EXPECT_EQ(Tls(server), SIGNET_ERROR_STATE);
    if (!remembered) {
      EXPECT_EQ(SSL_read_early_data(server, data, sizeof data, &count), SSL_READ_EARLY_DATA_FINISH);
    }
    EXPECT_EQ(SSL_do_handshake(server), -1);
    EXPECT_EQ(BIO_pending(SSL_get_rbio(server)), 0) << "it was all read";
    EXPECT_EQ(Tls(server), SIGNET_ERROR_STATE);
    ERR_clear_error();
  }
}

TEST_P(ExporterTest, IsNeverTheEarlyOne) {
  const TlsPair pair = Resumed();
  size_t count = 0;
  char data[8];
  ASSERT_EQ(SSL_write_early_data(pair.client(), "early", 5, &count), 1);
  ASSERT_EQ(SSL_read_early_data(pair.server(), data, sizeof data, &count),
            SSL_READ_EARLY_DATA_SUCCESS);
  ASSERT_EQ(SSL_do_handshake(pair.client()), 1);
  ASSERT_EQ(SSL_read_early_data(pair.server(), data, sizeof data, &count),
            SSL_READ_EARLY_DATA_FINISH);
  ASSERT_EQ(SSL_do_handshake(pair.server()), 1);

  for (SSL* end : {pair.client(), pair.server()}) {
    EXPECT_EQ(Exported(end), From("EXPORTER_SECRET"));
    EXPECT_NE(Exported(end), From("EARLY_EXPORTER_SECRET"));
  }
}

// So that no authenticator outlives its connection, though the session does.
TEST_P(ExporterTest, OfAResumedConnectionIsAnother) {
  const TlsPair second = Resumed();
  SSL_do_handshake(second.client());
  SSL_do_handshake(second.server());
  SSL_do_handshake(second.client());
  ASSERT_EQ(SSL_do_handshake(second.server()), 1);
  ASSERT_TRUE(SSL_session_reused(second.server()));
  EXPECT_EQ(Exported(second.client()), Exported(second.server()));
  EXPECT_NE(Exported(second.client()), exported_before_);
}

// Keys of the exporter outlive those of the traffic (RFC 8446 section 7.2).
TEST_P(ExporterTest, OutlivesAKeyUpdate) {
  const TlsPair pair(contexts_);
  const Der before = Exported(pair.client());
  char byte = 'x';
  ASSERT_EQ(SSL_key_update(pair.client(), SSL_KEY_UPDATE_REQUESTED), 1);
  ASSERT_EQ(SSL_write(pair.client(), &byte, 1), 1);
  ASSERT_EQ(SSL_read(pair.server(), &byte, 1), 1);
  ASSERT_EQ(SSL_write(pair.server(), &byte, 1), 1);
  ASSERT_EQ(SSL_read(pair.client(), &byte, 1), 1);
  EXPECT_EQ(Exported(pair.client()), before);
  EXPECT_EQ(Exported(pair.server()), before);
}

// A cipher suite without a hash, or with one that no suite of TLS 1.3 has.
TEST(PrfHashTest, MustBeOneOfTls13) {
  const TlsPair pair;
  signet_session_config client{};
  client.size = sizeof client;
  client.http = SIGNET_HTTP2;
  client.origin = "https://example.com:443";
  signet_requester_config server{};
  server.size = sizeof server;
  server.http = SIGNET_HTTP2;
  ASSERT_EQ(signet_openssl_tls(pair.client(), &client.tls), SIGNET_OK);
  ASSERT_EQ(signet_openssl_tls(pair.server(), &server.tls), SIGNET_OK);
  for (const int hash : {0, 3}) {
    client.tls.hash = server.tls.hash = static_cast<signet_hash>(hash);
    signet_session* session = nullptr;
    signet_requester* requester = nullptr;
    EXPECT_EQ(signet_session_new(&client, &session), SIGNET_ERROR_ARGUMENT);
    EXPECT_EQ(signet_requester_new(&server, &requester), SIGNET_ERROR_ARGUMENT);
    signet_result result;
    size_t length;
    EXPECT_EQ(signet_validate(&server.tls, 1, {}, {}, &result, nullptr, 0, &length),
              SIGNET_ERROR_ARGUMENT);
  }
}

INSTANTIATE_TEST_SUITE_P(Suites, ExporterTest, ::testing::ValuesIn(kSuites),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace signet::test
