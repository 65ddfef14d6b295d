// Http3Connection and QuicConnection of a client and a server in one process, with libsignet on
// both: what signet-fetch and signet-gateway never ask of QUIC.
#include "client-lib/tools/http3_connection.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <signet/gnutls.h>

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/client_and_server.h"
#include "tests/support/quic_pair.h"

namespace signet::tools {
namespace {

uint16_t PortOf(const ngtcp2_addr& address) {
  return ntohs(reinterpret_cast<const sockaddr_in*>(address.addr)->sin_port);
}

class End : public Http3Events, public QuicCarrier {
 public:
  bool OnHandshakeComplete() override {
    signet_tls tls{};
    EXPECT_EQ(signet_gnutls_tls(quic->tls(), &tls), SIGNET_OK);
    if (client) {
      signet_session_config config{};
      config.size = sizeof config;
      config.tls = tls;
      config.http = SIGNET_HTTP3;
      config.origin = "https://localhost:443";
      signet_session* made = nullptr;
      EXPECT_EQ(signet_session_new(&config, &made), SIGNET_OK);
      session.reset(made);
    } else {
      signet_requester_config config{};
      config.size = sizeof config;
      config.tls = tls;
      config.http = SIGNET_HTTP3;
      signet_requester* made = nullptr;
      EXPECT_EQ(signet_requester_new(&config, &made), SIGNET_OK);
      requester.reset(made);
    }
    return http3.Start(session.get(), requester.get());
  }
  void OnHeader(int64_t, std::string_view, std::string_view) override {}
  void OnHeadersComplete(int64_t, bool) override {}
  void OnData(int64_t, std::span<const uint8_t>) override {}
  void OnStreamEnd(int64_t) override {}
  void OnStreamClose(int64_t, uint64_t) override {}
  void SendDatagram(std::span<const uint8_t> data, const ngtcp2_path& path) override {
    if (lost_to == PortOf(path.remote)) return;
    sent.emplace_back(data.begin(), data.end());
    last_to = PortOf(path.remote);
  }

  bool client = false;
  std::deque<std::vector<uint8_t>> sent;
  uint16_t last_to = 0;  // the port
  uint16_t lost_to = 0;  // nothing arrives there
  std::optional<QuicConnection> quic;
  test::SessionPtr session;
  test::RequesterPtr requester;
  Http3Connection http3{*this};
};

class Http3ConnectionTest : public ::testing::Test {
 protected:
  Http3ConnectionTest() {
    client_.client = true;
    client_.quic.emplace(credentials_.client.get(), host_, client_address_, server_address_, 30000,
                         client_, client_.http3);
    client_.http3.Attach(*client_.quic);
    RunUntil(
        [this] { return client_.session && signet_session_negotiated(client_.session.get()); });
    RunUntil([this] { return server_.http3.peer_settings_received(); });
  }

  // Carries datagrams both ways until `done`, or until it takes too long.
  template <typename Done>
  void RunUntil(Done&& done) {
    EXPECT_TRUE(test::CarryUntil(
        client_, [this](const auto& datagram) { ServerTakes(datagram); }, server_,
        [this](const auto& datagram) {
          client_.quic->Receive(datagram, client_address_, server_address_);
        },
        done));
  }
  void ServerTakes(const std::vector<uint8_t>& datagram) {
    if (!server_.quic) Accept(datagram);
    server_.quic->Receive(datagram, server_address_, client_address_);
  }
  void Accept(const std::vector<uint8_t>& datagram) {
    ngtcp2_pkt_hd header{};
    ASSERT_EQ(ngtcp2_accept(&header, datagram.data(), datagram.size()), 0);
    server_.quic.emplace(credentials_.server.get(), header, server_address_, client_address_, 30000,
                         server_, server_.http3);
    server_.http3.Attach(*server_.quic);
  }

  void Ask() {
    signet_request anything{};
    anything.size = sizeof anything;
    ASSERT_EQ(signet_requester_request(server_.requester.get(), &anything, 1, nullptr), SIGNET_OK);
    RunUntil([this] { return signet_session_outstanding(client_.session.get()) > 0; });
  }
  // The agent proves the request that is outstanding, with a certificate so much larger.
  void Prove(size_t extra_size) {
    signet_session* session = client_.session.get();
    const signet_bytes call = signet_session_agent_output(session);
    agent_.Receive({call.data, call.size});
    ASSERT_EQ(signet_session_agent_sent(session, call.size), SIGNET_OK);
    const auto answer = test::FakeAgent::Framed(agent_.Proof(++proofs_, extra_size));
    ASSERT_EQ(signet_session_agent_input(session, answer.data(), answer.size()), SIGNET_OK);
  }
  signet_result AwaitAnswer() {
    signet_answer answer{};
    RunUntil([&] {
      return answer.result != 0 ||
             signet_requester_next_answer(server_.requester.get(), &answer) == SIGNET_OK;
    });
    return answer.result;
  }

  const std::string host_ = "localhost";
  SocketAddress client_address_ = test::LoopbackAddress(1111);
  const SocketAddress server_address_ = test::LoopbackAddress(2222);
  const test::LocalhostCredentials credentials_;
  test::FakeAgent agent_;
  uint64_t proofs_ = 0;
  End client_, server_;
};

TEST_F(Http3ConnectionTest, ProvesBeforeAndAfterKeyUpdatesOfEitherSide) {
  for (int i = 0; i < 3; ++i) {
    Ask();
    Prove(0);
    EXPECT_EQ(AwaitAnswer(), SIGNET_RESULT_IDENTITY);
    QuicConnection& updating = i == 0 ? *client_.quic : *server_.quic;
    RunUntil([&] { return updating.UpdateKeys(); });  // not before the last one is confirmed
  }
  Ask();
  Prove(0);
  EXPECT_EQ(AwaitAnswer(), SIGNET_RESULT_IDENTITY);
}

// More on the control stream than its first window has room for: 256 KiB.
TEST_F(Http3ConnectionTest, GoesOnWhenTheControlStreamGetsNewCredit) {
  for (int i = 0; i < 4; ++i) {
    Ask();
    Prove(120000);
    EXPECT_EQ(AwaitAnswer(), SIGNET_RESULT_IDENTITY) << i;
  }
}

// The client leaves its address for another one while a person is asked; the old one is dead.
TEST_F(Http3ConnectionTest, StaysTheSameWhenTheClientMoves) {
  for (uint16_t port : {3333, 4444}) {
    Ask();
    server_.lost_to = PortOf({client_address_.get(), client_address_.size});
    client_address_ = test::LoopbackAddress(port);
    RunUntil([this] { return client_.quic->Migrate(client_address_, server_address_); });
    Prove(0);
    EXPECT_EQ(AwaitAnswer(), SIGNET_RESULT_IDENTITY);
    RunUntil([&] { return server_.last_to == port; });
    Ask();  // arrives at the new address only
    Prove(0);
    EXPECT_EQ(AwaitAnswer(), SIGNET_RESULT_IDENTITY);
  }
}

TEST_F(Http3ConnectionTest, TellsThePeerWithWhichErrorItEnded) {
  server_.quic->Close(0x105, "a rule was broken");
  RunUntil([this] { return client_.quic->state() == QuicConnection::State::kClosed; });
  ASSERT_TRUE(client_.quic->error());
  EXPECT_EQ(client_.quic->error()->by, QuicError::By::kPeer);
  EXPECT_TRUE(client_.quic->error()->of_application);
  EXPECT_EQ(client_.quic->error()->code, 0x105u);
  EXPECT_EQ(client_.quic->error()->detail, "a rule was broken");
}

// The first time our last words are lost.
TEST_F(Http3ConnectionTest, RepeatsItsLastWordsForAPeerThatGoesOn) {
  server_.quic->Close(0x105, "");
  server_.sent.clear();
  EXPECT_GE(
      client_.http3.Request(
          {{":method", "GET"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", "/"}}),
      0);
  RunUntil([this] { return client_.quic->state() == QuicConnection::State::kClosed; });
  ASSERT_TRUE(client_.quic->error());
  EXPECT_EQ(client_.quic->error()->code, 0x105u);
}

TEST_F(Http3ConnectionTest, EndsInGoodOrder) {
  client_.quic->Close(Http3Connection::kNoError, "");
  RunUntil([this] { return server_.quic->state() == QuicConnection::State::kClosed; });
  EXPECT_FALSE(server_.quic->error());
  EXPECT_FALSE(client_.quic->error());
}

TEST_F(Http3ConnectionTest, HasNoEarlyData) {
  EXPECT_FALSE(gnutls_session_get_flags(client_.quic->tls()) & GNUTLS_SFLAGS_EARLY_DATA);
  EXPECT_FALSE(gnutls_session_get_flags(client_.quic->tls()) & GNUTLS_SFLAGS_SESSION_TICKET);
}

}  // namespace
}  // namespace signet::tools
