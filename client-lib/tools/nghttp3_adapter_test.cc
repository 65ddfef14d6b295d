// signet/nghttp3.h between two nghttp3 connections; QUIC is a small one in memory that loses,
// doubles and reorders packets, and sends again from where the data was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signet/nghttp3.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/support/client_and_server.h"

namespace signet::test {
namespace {

using ::testing::ElementsAre;
using wire::Bytes;

constexpr int64_t kRequest = 0;
constexpr uint64_t kUnlimited = UINT64_MAX;

// What QUIC keeps of a packet is where its data lies; only delivering it copies.
struct Packet {
  int64_t stream;
  uint64_t offset;
  const uint8_t* data;
  size_t size;
  bool fin;
};

class End {
 public:
  End(bool client, signet_session* session, signet_requester* requester) : client_(client) {
    nghttp3_callbacks callbacks{};
    callbacks.end_headers = [](nghttp3_conn* h3, int64_t stream, int, void* user, void*) {
      End& self = *static_cast<End*>(user);
      ++self.headers;
      return self.client_ ? 0 : self.Respond(h3, stream);
    };
    callbacks.recv_data = [](nghttp3_conn*, int64_t, const uint8_t*, size_t size, void* user,
                             void*) {
      static_cast<End*>(user)->body += size;
      return 0;
    };
    callbacks.end_stream = [](nghttp3_conn*, int64_t, void* user, void*) {
      static_cast<End*>(user)->ended = true;
      return 0;
    };
    callbacks.acked_stream_data = [](nghttp3_conn*, int64_t, uint64_t size, void* user, void*) {
      static_cast<End*>(user)->acknowledged += size;
      return 0;
    };
    nghttp3_settings settings;
    nghttp3_settings_default(&settings);
    const nghttp3_mem* memory = nghttp3_mem_default();
    EXPECT_EQ(client ? nghttp3_conn_client_new(&h3_, &callbacks, &settings, memory, this)
                     : nghttp3_conn_server_new(&h3_, &callbacks, &settings, memory, this),
              0);
    const int64_t first = client ? 2 : 3;
    EXPECT_EQ(nghttp3_conn_bind_control_stream(h3_, first), 0);
    EXPECT_EQ(nghttp3_conn_bind_qpack_streams(h3_, first + 4, first + 8), 0);
    if (!client) nghttp3_conn_set_max_client_streams_bidi(h3_, 10);
    EXPECT_EQ(client ? signet_nghttp3_init_client(&adapter_, session, first)
                     : signet_nghttp3_init_server(&adapter_, requester, first),
              SIGNET_OK);
    control = first;
  }
  ~End() {
    nghttp3_conn_del(h3_);
    signet_nghttp3_free(&adapter_);
  }
  End(const End&) = delete;
  End& operator=(const End&) = delete;

  void Request() {
    const nghttp3_data_reader reader{ReadBody};
    const auto head = Head(
        {{":method", "POST"}, {":scheme", "https"}, {":authority", "example.com"}, {":path", "/"}});
    ASSERT_EQ(nghttp3_conn_submit_request(h3_, kRequest, head.data(), head.size(), &reader, this),
              0);
  }
  void Shutdown() { ASSERT_EQ(nghttp3_conn_shutdown(h3_), 0); }

  // Turns what is to be said into packets.
  void Send() {
    std::array<nghttp3_vec, 8> vec;
    for (;;) {
      int64_t stream = -1;
      int fin = 0;
      const nghttp3_ssize count =
          signet_nghttp3_writev_stream(&adapter_, h3_, &stream, &fin, vec.data(), vec.size());
      ASSERT_GE(count, 0);
      if (stream < 0) return;
      uint64_t& offset = offsets_[stream];
      if (stream == control && offset == control_credit) {
        signet_nghttp3_block_stream(&adapter_, h3_, stream);
        continue;
      }
      size_t taken = 0;
      for (nghttp3_ssize i = 0; i < count; ++i) {
        for (size_t at = 0; at < vec[i].len;) {
          const size_t size = std::min<size_t>(100, vec[i].len - at);
          packets.push_back({stream, offset + taken, vec[i].base + at, size, false});
          taken += size;
          at += size;
        }
      }
      if (stream == control) taken = Cut(taken, control_credit - offset);
      if (fin) packets.push_back({stream, offset + taken, nullptr, 0, true});
      offset += taken;
      ASSERT_EQ(signet_nghttp3_add_write_offset(&adapter_, h3_, stream, taken), 0);
    }
  }
  void Unblock(uint64_t credit) {
    control_credit = credit;
    ASSERT_EQ(signet_nghttp3_unblock_stream(&adapter_, h3_, control), 0);
  }

  // Returns what of the stream is now there, to be acknowledged.
  uint64_t Receive(const Packet& packet) {
    auto& arrived = arrived_[packet.stream];
    arrived.pieces[packet.offset] = {Bytes(packet.data, packet.data + packet.size), packet.fin};
    uint64_t before = arrived.next;
    for (auto piece = arrived.pieces.begin();
         piece != arrived.pieces.end() && piece->first <= arrived.next;) {
      const auto& [data, fin] = piece->second;
      if (piece->first == arrived.next && !(fin && arrived.ended)) {
        status = signet_nghttp3_read_stream(&adapter_, h3_, packet.stream, data.data(), data.size(),
                                            fin, 0);
        if (status < 0) return 0;
        arrived.next += data.size();
        arrived.ended = fin;
      }
      piece = arrived.pieces.erase(piece);
    }
    return arrived.next - before;
  }
  void Acknowledge(int64_t stream, uint64_t count) {
    if (count == 0) return;
    ASSERT_EQ(signet_nghttp3_add_ack_offset(&adapter_, h3_, stream, count), 0);
  }
  std::string Error() const {
    signet_connection_error error;
    return signet_nghttp3_error(&adapter_, &error) == SIGNET_OK ? error.name : "";
  }

  std::vector<Packet> packets;
  int64_t control;
  uint64_t control_credit = kUnlimited;
  size_t headers = 0, body = 0;
  uint64_t acknowledged = 0;
  bool ended = false;
  nghttp3_ssize status = 0;

 private:
  struct Arrived {
    uint64_t next = 0;
    bool ended = false;
    std::map<uint64_t, std::pair<Bytes, bool>> pieces;
  };
  static std::vector<nghttp3_nv> Head(
      std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
    std::vector<nghttp3_nv> head;
    for (const auto& [name, value] : fields) {
      head.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                      reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(),
                      value.size(), NGHTTP3_NV_FLAG_NONE});
    }
    return head;
  }
  static nghttp3_ssize ReadBody(nghttp3_conn*, int64_t, nghttp3_vec* vec, size_t, uint32_t* flags,
                                void*, void*) {
    static uint8_t body[5000];
    vec[0] = {body, sizeof body};
    *flags |= NGHTTP3_DATA_FLAG_EOF;
    return 1;
  }
  int Respond(nghttp3_conn* h3, int64_t stream) {
    const nghttp3_data_reader reader{ReadBody};
    const auto head = Head({{":status", "200"}});
    return nghttp3_conn_submit_response(h3, stream, head.data(), head.size(), &reader);
  }
  // Drops the packets beyond `credit` bytes.
  size_t Cut(size_t taken, uint64_t credit) {
    while (taken > credit) {
      Packet& last = packets.back();
      const size_t excess = static_cast<size_t>(std::min<uint64_t>(last.size, taken - credit));
      last.size -= excess;
      taken -= excess;
      if (last.size == 0) packets.pop_back();
    }
    return taken;
  }

  const bool client_;
  nghttp3_conn* h3_ = nullptr;
  signet_nghttp3 adapter_;
  std::map<int64_t, uint64_t> offsets_;
  std::map<int64_t, Arrived> arrived_;
};

class Nghttp3AdapterTest : public ::testing::Test {
 protected:
  // Moves packets both ways until nothing is left, each lost, doubled or late by chance.
  void Exchange(double loss) {
    for (;;) {
      client_.Send();
      server_.Send();
      if (client_.packets.empty() && server_.packets.empty()) return;
      Move(client_, server_, loss);
      Move(server_, client_, loss);
    }
  }
  void Move(End& from, End& to, double loss) {
    std::vector<Packet> flying = std::exchange(from.packets, {});
    if (loss > 0) std::shuffle(flying.begin(), flying.end(), random_);
    for (const Packet& packet : flying) {
      const double chance = std::uniform_real_distribution<>(0, 1)(random_);
      if (chance < loss) {
        from.packets.push_back(packet);  // to be sent again, from where it lies
        continue;
      }
      uint64_t there = to.Receive(packet);
      if (chance < 2 * loss) there += to.Receive(packet);
      if (to.status < 0) return;
      from.Acknowledge(packet.stream, there);
    }
  }
  void Ask(size_t count) {
    signet_request anything{};
    anything.size = sizeof anything;
    const std::vector<signet_request> requests(count, anything);
    ASSERT_EQ(signet_requester_request(pair_.requester.get(), requests.data(), count, nullptr),
              SIGNET_OK);
  }
  void Prove(std::initializer_list<size_t> extra_sizes) {
    pair_.TellAgent();
    for (const size_t size : extra_sizes) {
      ASSERT_EQ(pair_.AgentSays(pair_.agent.Proof(++proved_, size)), SIGNET_OK);
    }
  }
  std::vector<signet_result> Results() {
    std::vector<signet_result> results;
    for (const Answer& answer : pair_.Answers()) results.push_back(answer.result);
    return results;
  }

  std::mt19937 random_{20261121};
  ClientAndServer pair_{{.http = SIGNET_HTTP3, .negotiate = false}};
  End client_{true, pair_.session.get(), nullptr};
  End server_{false, nullptr, pair_.requester.get()};
  uint64_t proved_ = 0;
};

TEST_F(Nghttp3AdapterTest, ProvesBesideARequest) {
  client_.Request();
  Exchange(0);
  Ask(2);
  Exchange(0);
  Prove({0, 40000});
  Exchange(0);
  EXPECT_THAT(Results(), ElementsAre(SIGNET_RESULT_IDENTITY, SIGNET_RESULT_IDENTITY));
  EXPECT_TRUE(client_.ended && server_.ended);
}

TEST_F(Nghttp3AdapterTest, StaysInOrderThroughLossDoublingAndReordering) {
  client_.Request();
  Exchange(0.3);
  for (int i = 0; i < 5; ++i) {
    Ask(2);
    Exchange(0.3);
    Prove({20000, 0});
    Exchange(0.3);
    EXPECT_THAT(Results(), ElementsAre(SIGNET_RESULT_IDENTITY, SIGNET_RESULT_IDENTITY));
  }
  client_.Shutdown();
  server_.Shutdown();
  Exchange(0.3);
  EXPECT_EQ(client_.headers + server_.headers, 2u);
  EXPECT_EQ(client_.body, 5000u);
  EXPECT_EQ(server_.body, 5000u);
  EXPECT_EQ(client_.acknowledged, 5000u) << "nghttp3 counts its own bytes only";
  EXPECT_EQ(server_.acknowledged, 5000u);
  EXPECT_EQ(client_.Error() + server_.Error(), "");
}

TEST_F(Nghttp3AdapterTest, WaitsForCreditOnTheControlStreamAlone) {
  client_.control_credit = 10;  // in the middle of SETTINGS
  client_.Request();
  Exchange(0);
  EXPECT_TRUE(client_.ended && server_.ended) << "requests go on";
  EXPECT_EQ(signet_requester_available(pair_.requester.get()), 0u);
  client_.Unblock(100);
  Exchange(0);
  Ask(1);
  Exchange(0);
  Prove({0});
  Exchange(0);
  EXPECT_TRUE(Results().empty()) << "the frame is not whole";
  client_.Unblock(kUnlimited);
  Exchange(0);
  EXPECT_THAT(Results(), ElementsAre(SIGNET_RESULT_IDENTITY));
}

TEST_F(Nghttp3AdapterTest, FailsTheCallThatBringsABreach) {
  Exchange(0);
  const Bytes frame = {0x80, 0xf4, 0xf4, 0xa2, 0x01, 0x00};
  server_.Receive({kRequest, 0, frame.data(), frame.size(), false});
  EXPECT_EQ(server_.status, NGHTTP3_ERR_CALLBACK_FAILURE);
  EXPECT_EQ(server_.Error(), "H3_FRAME_UNEXPECTED");
}

TEST_F(Nghttp3AdapterTest, LeavesAConnectionWithoutAuthenticatorsAsItIs) {
  End client(true, nullptr, nullptr), server(false, nullptr, nullptr);
  client.Request();
  for (int i = 0; i < 4; ++i) {
    client.Send();
    server.Send();
    Move(client, server, 0);
    Move(server, client, 0);
  }
  EXPECT_TRUE(client.ended && server.ended);
}

}  // namespace
}  // namespace signet::test
