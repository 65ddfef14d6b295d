// Early data (0-RTT) over HTTP/3: nothing of Signet's is in it, and the resumed connection carries
// authenticators as any other does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/early_data_ends.h"
#include "tests/support/exporter_by_hand.h"
#include "tests/support/quic_pair.h"

namespace signet::tools {
namespace {

constexpr uint64_t kControl = 0;  // the type of a stream
constexpr unsigned kHourMs = 3600'000;

enum class Resumption {
  kWithEarlyData,
  kWithoutEarlyData,  // though its ticket promised it
  kNone,              // as signet-gateway has it
};

class Http3EarlyDataTest : public ::testing::Test {
 protected:
  Http3EarlyDataTest() {
    EXPECT_EQ(gnutls_session_ticket_key_generate(&ticket_key_), 0);
    EXPECT_EQ(gnutls_anti_replay_init(&anti_replay_), 0);
    gnutls_anti_replay_set_window(anti_replay_, kHourMs);  // however slow this machine is
    gnutls_anti_replay_set_ptr(anti_replay_, &hellos_);
    gnutls_anti_replay_set_add_function(
        anti_replay_, [](void* hellos, time_t, const gnutls_datum_t* hello, const gnutls_datum_t*) {
          const bool fresh = static_cast<std::set<Der>*>(hellos)
                                 ->emplace(hello->data, hello->data + hello->size)
                                 .second;
          return fresh ? 0 : GNUTLS_E_DB_ENTRY_EXISTS;
        });
  }
  ~Http3EarlyDataTest() override {
    Hangup();
    gnutls_anti_replay_deinit(anti_replay_);
    gnutls_free(ticket_key_.data);
  }

  // One connection for the memory of it; then another one, whose first datagram is sent.
  void ResumeAt(Resumption resumption) {
    Dial(Resumption::kWithEarlyData, nullptr);
    RunUntil([this] {
      return client_->status == "200" && signet_session_negotiated(client_->session.get()) &&
             gnutls_session_get_flags(client_->tls()) & GNUTLS_SFLAGS_SESSION_TICKET;
    });
    if (HasFatalFailure()) return;
    EXPECT_TRUE(server_->streams.early.empty());
    const EarlyDataMemory memory = client_->Remember();
    Hangup();
    Dial(resumption, &memory);
    client_->quic->Send();
    recorded_.clear();
  }
  void Complete() {
    RunUntil([this] {
      return client_->session && signet_session_negotiated(client_->session.get()) &&
             server_->http3.peer_settings_received() && client_->status == "200";
    });
  }
  // Carries datagrams both ways until `done`, or until it takes too long.
  template <typename Done>
  void RunUntil(Done&& done) {
    ASSERT_TRUE(test::CarryUntil(
        *client_, [this](const auto& datagram) { ServerTakes(datagram); }, *server_,
        [this](const auto& datagram) {
          client_->quic->Receive(datagram, client_address_, server_address_);
        },
        done));
  }
  // All that the client has sent since ResumeAt() comes to another server, of the same tickets.
  void Replay() {
    const auto replayed = std::exchange(recorded_, {});
    ASSERT_GT(replayed.size(), 1u) << "what came after the early data, too";
    server_.emplace();
    for (const std::vector<uint8_t>& datagram : replayed) {
      if (!server_->quic) Accept(datagram);
      server_->quic->Receive(datagram, server_address_, client_address_);
      server_->quic->Send();
    }
  }
  // An authenticator is asked for, made and verified.
  void ExpectProof() {
    signet_request anything{};
    anything.size = sizeof anything;
    signet_session* session = client_->session.get();
    signet_requester* requester = server_->requester.get();
    ASSERT_EQ(signet_requester_request(requester, &anything, 1, nullptr), SIGNET_OK);
    ASSERT_NO_FATAL_FAILURE(RunUntil([&] { return signet_session_outstanding(session) > 0; }));
    const signet_bytes call = signet_session_agent_output(session);
    test::FakeAgent agent;
    agent.Receive({call.data, call.size});
    ASSERT_EQ(signet_session_agent_sent(session, call.size), SIGNET_OK);
    const auto proof = test::FakeAgent::Framed(agent.Proof(1));
    ASSERT_EQ(signet_session_agent_input(session, proof.data(), proof.size()), SIGNET_OK);
    signet_answer answer{};
    RunUntil([&] { return signet_requester_next_answer(requester, &answer) == SIGNET_OK; });
    EXPECT_EQ(answer.result, SIGNET_RESULT_IDENTITY);
  }

  std::vector<std::vector<uint8_t>> recorded_;  // datagrams of the client
  const std::string host_ = "localhost";
  const SocketAddress client_address_ = test::LoopbackAddress(1111),
                      server_address_ = test::LoopbackAddress(2222);
  const test::LocalhostCredentials credentials_;
  gnutls_datum_t ticket_key_{};
  gnutls_anti_replay_t anti_replay_ = nullptr;
  std::set<Der> hellos_;
  std::optional<EarlyDataClient> client_;
  std::optional<EarlyDataServer> server_;

 private:
  void Dial(Resumption resumption, const EarlyDataMemory* memory) {
    resumption_ = resumption;
    client_.emplace();
    server_.emplace();
    client_->quic.emplace(credentials_.client.get(), host_, client_address_, server_address_, 30000,
                          *client_, *client_);
    client_->UseOwnTls(GNUTLS_CLIENT | (memory != nullptr ? GNUTLS_ENABLE_EARLY_DATA : 0),
                       credentials_.client.get());
    if (memory != nullptr) client_->SendEarly(*memory);
  }
  void Accept(const std::vector<uint8_t>& datagram) {
    ngtcp2_pkt_hd header{};
    ASSERT_EQ(ngtcp2_accept(&header, datagram.data(), datagram.size()), 0);
    server_->quic.emplace(credentials_.server.get(), header, server_address_, client_address_,
                          30000, *server_, server_->streams);
    server_->http3.Attach(*server_->quic);
    if (resumption_ == Resumption::kNone) return;
    const bool early = resumption_ == Resumption::kWithEarlyData;
    server_->UseOwnTls(GNUTLS_SERVER | (early ? GNUTLS_ENABLE_EARLY_DATA : 0),
                       credentials_.server.get());
    ASSERT_EQ(gnutls_session_ticket_enable_server(server_->tls(), &ticket_key_), 0);
    if (!early) return;
    gnutls_anti_replay_enable(server_->tls(), anti_replay_);
    // QUIC has no other number (RFC 9001 section 4.6.1).
    ASSERT_EQ(gnutls_record_set_max_early_data_size(server_->tls(), 0xffffffff), 0);
  }
  void Hangup() {
    client_.reset();
    server_.reset();
  }
  void ServerTakes(const std::vector<uint8_t>& datagram) {
    if (!server_->quic) Accept(datagram);
    recorded_.push_back(datagram);
    server_->quic->Receive(datagram, server_address_, client_address_);
  }

  Resumption resumption_ = Resumption::kNone;
};

// HeldStreams looks whether the server could make a requester when early data arrives.
TEST_F(Http3EarlyDataTest, CarriesTheRequestAndNothingOfOurs) {
  ASSERT_NO_FATAL_FAILURE(ResumeAt(Resumption::kWithEarlyData));
  EXPECT_EQ(client_->Tls(), SIGNET_ERROR_STATE);
  ASSERT_NO_FATAL_FAILURE(Complete());
  EXPECT_TRUE(client_->has_early_data());
  EXPECT_TRUE(server_->has_early_data());
  ASSERT_TRUE(server_->streams.early.contains(0));
  EXPECT_TRUE(server_->streams.early[0].fin) << "the whole request";
  for (const auto& [stream, held] : server_->streams.early) {
    if (ngtcp2_is_bidi_stream(stream)) continue;
    ASSERT_FALSE(held.data.empty());
    EXPECT_NE(held.data[0], kControl);
  }
  EXPECT_THAT(server_->paths, ::testing::ElementsAre("/early"));
}

TEST_F(Http3EarlyDataTest, IsFollowedByAProofOfTheResumedConnection) {
  ASSERT_NO_FATAL_FAILURE(ResumeAt(Resumption::kWithEarlyData));
  ASSERT_NO_FATAL_FAILURE(Complete());
  EXPECT_FALSE(server_->streams.early.empty());
  ExpectProof();
}

TEST_F(Http3EarlyDataTest, LeavesTheEarlyExporterAlone) {
  ASSERT_NO_FATAL_FAILURE(ResumeAt(Resumption::kWithEarlyData));
  ASSERT_NO_FATAL_FAILURE(Complete());
  const auto exported = [&](const char* secret) {
    return test::ExportedFrom(EVP_sha256(), server_->secrets.at(secret));
  };
  EXPECT_EQ(client_->Exported(), server_->Exported());
  EXPECT_EQ(client_->Exported(), exported("EXPORTER_SECRET"));
  EXPECT_NE(client_->Exported(), exported("EARLY_EXPORTER_SECRET"));
}

TEST_F(Http3EarlyDataTest, IsSentAgainWhereItIsRefusedAndAProofFollows) {
  for (Resumption resumption : {Resumption::kWithoutEarlyData, Resumption::kNone}) {
    ASSERT_NO_FATAL_FAILURE(ResumeAt(resumption));
    EXPECT_EQ(client_->Tls(), SIGNET_ERROR_STATE);
    ASSERT_NO_FATAL_FAILURE(Complete());
    EXPECT_EQ(gnutls_session_is_resumed(client_->tls()) != 0, resumption != Resumption::kNone);
    EXPECT_FALSE(client_->has_early_data());
    EXPECT_TRUE(server_->streams.early.empty());
    EXPECT_THAT(server_->paths, ::testing::ElementsAre("/early"));
    ExpectProof();
  }
}

// RFC 9114 section 7.2.4.2 wants remembered SETTINGS for the sake of limits; ours is none.
TEST_F(Http3EarlyDataTest, HasNothingOfOursFromRememberedSettings) {
  ASSERT_NO_FATAL_FAILURE(ResumeAt(Resumption::kWithEarlyData));
  server_->without_signet = true;
  ASSERT_NO_FATAL_FAILURE(
      RunUntil([this] { return client_->status == "200" && client_->has_settings; }));
  EXPECT_TRUE(client_->has_early_data());
  EXPECT_EQ(signet_session_negotiated(client_->session.get()), 0);
  EXPECT_THAT(server_->paths, ::testing::ElementsAre("/early"));
}

// Nobody but the client can end the handshake, and before that the server does nothing.
TEST_F(Http3EarlyDataTest, GetsNothingWhenItIsReplayed) {
  for (const bool remembered : {true, false}) {
    ASSERT_NO_FATAL_FAILURE(ResumeAt(Resumption::kWithEarlyData));
    ASSERT_NO_FATAL_FAILURE(Complete());
    ExpectProof();
    if (!remembered) hellos_.clear();  // as at another server of the same site
    ASSERT_NO_FATAL_FAILURE(Replay());
    EXPECT_EQ(server_->streams.early.contains(0), !remembered) << "held, at most";
    EXPECT_EQ(server_->quic->state(), QuicConnection::State::kHandshake);
    EXPECT_EQ(server_->Tls(), SIGNET_ERROR_STATE);
    EXPECT_EQ(server_->requester, nullptr);
    EXPECT_THAT(server_->paths, ::testing::IsEmpty());
  }
}

}  // namespace
}  // namespace signet::tools
