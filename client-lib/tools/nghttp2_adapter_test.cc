// signet/nghttp2.h between two nghttp2 sessions in memory: what goes around the frames that nghttp2
// can't pack itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signet/nghttp2.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "client-lib/src/server_certs_calls.h"
#include "ipc/wire/reader.h"
#include "ipc/wire/writer.h"
#include "tests/support/client_and_server.h"
#include "tests/support/nghttp2_callbacks.h"

namespace signet::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr size_t kLarge = 40000;
constexpr uint8_t kRequests = 0xf4;
constexpr uint8_t kCertificate = 0xf5;

// One end. Remembers the order in which whole frames came.
class End {
 public:
  using Send = ssize_t (*)(signet_nghttp2*, nghttp2_session*, const uint8_t**);

  End(signet_session* session, signet_requester* requester, uint32_t max_frame_size, Send send)
      : send_(send) {
    if (session != nullptr) signet_nghttp2_init_client(&adapter_, session);
    if (requester != nullptr) signet_nghttp2_init_server(&adapter_, requester);
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_option* option = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_option_new(&option);
    // As an application that knows ORIGIN frames without us.
    nghttp2_option_set_builtin_recv_extension_type(option, NGHTTP2_ORIGIN);
    signet_nghttp2_set_option(&adapter_, option);
    Register(callbacks);
    if (session != nullptr) {
      nghttp2_session_client_new2(&h2_, callbacks, this, option);
    } else {
      nghttp2_session_server_new2(&h2_, callbacks, this, option);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_settings_entry settings[3] = {
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, max_frame_size}, {}, {}};
    const size_t ours = signet_nghttp2_settings(&adapter_, &settings[1], 2);
    nghttp2_submit_settings(h2_, NGHTTP2_FLAG_NONE, settings, 1 + ours);
  }
  ~End() {
    nghttp2_session_del(h2_);
    signet_nghttp2_free(&adapter_);
  }
  End(const End&) = delete;
  End& operator=(const End&) = delete;

  // A request with a header block of more than one frame and a body.
  void SubmitRequest() {
    std::string large(30000, 'h');
    const auto header = [](std::string_view name, std::string_view value) {
      return nghttp2_nv{reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                        reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(),
                        value.size(), NGHTTP2_NV_FLAG_NO_INDEX};
    };
    const nghttp2_nv headers[] = {header(":method", "POST"), header(":scheme", "https"),
                                  header(":authority", "example.com"), header(":path", "/"),
                                  header("large", large)};
    nghttp2_data_provider body{};
    body.read_callback = [](nghttp2_session*, int32_t, uint8_t* out, size_t size, uint32_t* flags,
                            nghttp2_data_source*, void*) -> ssize_t {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      std::fill_n(out, std::min<size_t>(size, 1000), 'b');
      return static_cast<ssize_t>(std::min<size_t>(size, 1000));
    };
    ASSERT_GT(nghttp2_submit_request(h2_, nullptr, headers, std::size(headers), &body, nullptr), 0);
  }

  // As if the other end had sent this.
  void Take(const wire::Bytes& bytes) {
    ASSERT_EQ(nghttp2_session_mem_recv(h2_, bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
  }
  // The code in the GOAWAY that it sends, if any.
  std::optional<uint32_t> SentGoaway() {
    wire::Bytes sent;
    const uint8_t* data = nullptr;
    for (ssize_t size; (size = send_(&adapter_, h2_, &data)) > 0;) {
      sent.insert(sent.end(), data, data + size);
    }
    wire::Reader reader(sent);
    uint32_t length = 0, stream = 0, last = 0, code = 0;
    uint8_t type = 0, flags = 0;
    wire::BytesView payload;
    if (!sent.empty() && sent[0] == 'P' && !reader.ReadBytes(24, payload)) ADD_FAILURE();
    while (reader.ReadU24(length) && reader.ReadU8(type) && reader.ReadU8(flags) &&
           reader.ReadU32(stream) && reader.ReadBytes(length, payload)) {
      wire::Reader fields(payload);
      if (type == NGHTTP2_GOAWAY && fields.ReadU32(last) && fields.ReadU32(code)) return code;
    }
    return std::nullopt;
  }

  void Submit() { ASSERT_EQ(signet_nghttp2_submit(&adapter_, h2_), 0); }

  // Gives everything that is to be sent to the other end; false when there was nothing.
  bool SendTo(End& other) {
    Submit();
    bool sent = false;
    for (;;) {
      const uint8_t* data = nullptr;
      const ssize_t size = send_(&adapter_, h2_, &data);
      EXPECT_GE(size, 0);
      if (size <= 0) return sent;
      sent = true;
      EXPECT_EQ(nghttp2_session_mem_recv(other.h2_, data, size), size);
    }
  }

  std::vector<uint8_t> received;   // types of frames, apart from SETTINGS
  std::optional<uint32_t> goaway;  // the code that came

 private:
  static void Register(nghttp2_session_callbacks* callbacks) {
    test::HandOverToAdapter<Adapter>(callbacks);
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        callbacks, [](nghttp2_session* h2, const nghttp2_frame* frame, void* user) {
          End& self = Self(user);
          if (frame->hd.type != NGHTTP2_SETTINGS) self.received.push_back(frame->hd.type);
          if (frame->hd.type == NGHTTP2_GOAWAY) self.goaway = frame->goaway.error_code;
          return signet_nghttp2_on_frame_recv(&self.adapter_, h2, frame, 0);
        });
  }
  static End& Self(void* user) { return *static_cast<End*>(user); }
  static signet_nghttp2* Adapter(void* user) { return &Self(user).adapter_; }

  signet_nghttp2 adapter_;
  nghttp2_session* h2_ = nullptr;
  Send send_;
};

ssize_t SendWithNghttp2(signet_nghttp2*, nghttp2_session* h2, const uint8_t** out) {
  return nghttp2_session_mem_send(h2, out);
}

class Nghttp2AdapterTest : public ::testing::Test {
 protected:
  void Connect(uint32_t client_takes, uint32_t server_takes, End::Send send) {
    client_.emplace(pair_.session.get(), nullptr, client_takes, send);
    server_.emplace(nullptr, pair_.requester.get(), server_takes, send);
    Exchange();
  }
  void Exchange() {
    for (bool moved = true; moved;) {
      moved = client_->SendTo(*server_);
      moved = server_->SendTo(*client_) || moved;
    }
  }
  void Ask(size_t count, const signet_request& request) {
    const std::vector<signet_request> requests(count, request);
    ASSERT_EQ(signet_requester_request(pair_.requester.get(), requests.data(), count, nullptr),
              SIGNET_OK);
    Exchange();
  }
  void Ask(size_t count) {
    signet_request anything{};
    anything.size = sizeof anything;
    Ask(count, anything);
  }
  // The agent proves request 1, 2 ... with a certificate so much larger than most.
  void Prove(const std::vector<size_t>& extra_sizes) {
    pair_.TellAgent();
    for (size_t i = 0; i < extra_sizes.size(); ++i) {
      ASSERT_EQ(pair_.AgentSays(pair_.agent.Proof(i + 1, extra_sizes[i])), SIGNET_OK);
    }
  }
  std::vector<signet_result> Results() {
    std::vector<signet_result> results;
    for (const Answer& answer : pair_.Answers()) results.push_back(answer.result);
    return results;
  }

  ClientAndServer pair_{{.negotiate = false}};
  std::optional<End> client_, server_;
};

TEST_F(Nghttp2AdapterTest, SendsLargeFramesInTheirPlace) {
  Connect(16384, 65536, signet_nghttp2_mem_send);
  Ask(4);
  Prove({0, kLarge, kLarge, 0});
  server_->received.clear();
  client_->SubmitRequest();
  client_->Submit();
  client_->SubmitRequest();
  Exchange();
  // One of ours between HEADERS and its CONTINUATION would be a connection error.
  EXPECT_THAT(server_->received,
              UnorderedElementsAre(NGHTTP2_HEADERS, NGHTTP2_DATA, kCertificate, kCertificate,
                                   kCertificate, kCertificate, NGHTTP2_HEADERS, NGHTTP2_DATA));
  EXPECT_THAT(Results(), ElementsAre(SIGNET_RESULT_IDENTITY, SIGNET_RESULT_IDENTITY,
                                     SIGNET_RESULT_IDENTITY, SIGNET_RESULT_IDENTITY));
  EXPECT_EQ(client_->goaway, std::nullopt);
  EXPECT_EQ(server_->goaway, std::nullopt);
}

TEST_F(Nghttp2AdapterTest, SendsALargeFrameWithNothingBehindIt) {
  Connect(16384, 65536, signet_nghttp2_mem_send);
  Ask(1);
  Prove({kLarge});
  Exchange();
  EXPECT_THAT(Results(), ElementsAre(SIGNET_RESULT_IDENTITY));
  client_->SubmitRequest();
  Exchange();
  EXPECT_EQ(server_->received.back(), NGHTTP2_DATA);
  EXPECT_EQ(client_->goaway, std::nullopt);
}

TEST_F(Nghttp2AdapterTest, DeclinesWhatTheServerDoesNotTake) {
  Connect(16384, 32768, signet_nghttp2_mem_send);
  Ask(2);
  Prove({kLarge, 20000});
  Exchange();
  EXPECT_THAT(Results(), ElementsAre(SIGNET_RESULT_DECLINED, SIGNET_RESULT_IDENTITY));
  const std::vector<Event> events = pair_.Settled();
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].reason, "frame-size");
  EXPECT_THAT(events[0].detail, HasSubstr("32768"));
}

TEST_F(Nghttp2AdapterTest, DeclinesWhatNghttp2CanNotPack) {
  Connect(16384, 65536, SendWithNghttp2);
  Ask(2);
  Prove({kLarge, 0});
  Exchange();
  EXPECT_THAT(Results(), ElementsAre(SIGNET_RESULT_DECLINED, SIGNET_RESULT_IDENTITY));
  EXPECT_EQ(client_->goaway, std::nullopt);
}

TEST_F(Nghttp2AdapterTest, SendsLargeRequestsToo) {
  Connect(65536, 16384, signet_nghttp2_mem_send);
  const wire::Bytes name(30000, 0x30);
  const signet_bytes names[] = {{name.data(), name.size()}};
  signet_request request{};
  request.size = sizeof request;
  request.certificate_authorities = names;
  request.certificate_authority_count = 1;
  Ask(3, request);
  EXPECT_EQ(std::count(client_->received.begin(), client_->received.end(), kRequests), 2)
      << "two fit one frame";
  EXPECT_EQ(signet_session_outstanding(pair_.session.get()), 3u);
  EXPECT_EQ(server_->goaway, std::nullopt);
}

// One answer waits in a queue that nobody empties, and four requests, which is the limit, for it.
TEST_F(Nghttp2AdapterTest, LetsAServerThatDoesNotReadBreakTheLimit) {
  Connect(16384, 16384, signet_nghttp2_mem_send);
  signet_session_agent_gone(pair_.session.get(), "");
  size_t asked = 0;
  while (asked < 100 &&
         pair_.Deliver({kRequests, RequestsPayload({std::to_string(asked)})}) == SIGNET_OK) {
    ++asked;
    client_->Submit();
  }
  EXPECT_EQ(asked, 5u);
  EXPECT_THAT(pair_.ClientError().detail, HasSubstr("limit"));
}

TEST_F(Nghttp2AdapterTest, GivesAServerThatReadsLateAllAnswersAtOnce) {
  Connect(16384, 16384, signet_nghttp2_mem_send);
  signet_session_agent_gone(pair_.session.get(), "");
  for (const char* contexts : {"abcd", "efgh"}) {
    for (; *contexts != 0; ++contexts) {
      ASSERT_EQ(pair_.Deliver({kRequests, RequestsPayload({std::string(1, *contexts)})}),
                SIGNET_OK);
    }
    client_->Submit();
  }
  EXPECT_EQ(signet_session_outstanding(pair_.session.get()), 4u);
  client_->SendTo(*server_);
  EXPECT_EQ(signet_session_outstanding(pair_.session.get()), 0u);
}

// -- secondary server certificates

wire::Bytes FrameBytes(uint8_t type, const wire::Bytes& payload, uint8_t flags = 0,
                       uint32_t stream = 0) {
  wire::Writer writer;
  writer.Vector24(payload);
  wire::Bytes frame = writer.Take();
  const wire::Bytes rest = {type, flags, 0, 0, 0, static_cast<uint8_t>(stream)};
  frame.insert(frame.begin() + 3, rest.begin(), rest.end());
  return frame;
}

wire::Bytes OriginFrame(const std::string& origin, uint8_t flags = 0, uint32_t stream = 0) {
  wire::Writer payload;
  payload.Vector16(wire::Bytes(origin.begin(), origin.end()));
  return FrameBytes(NGHTTP2_ORIGIN, payload.bytes(), flags, stream);
}

class Nghttp2ServerCertsTest : public ::testing::Test {
 protected:
  Nghttp2ServerCertsTest() {
    end_.Submit();
    end_.Take(FrameBytes(NGHTTP2_SETTINGS, {0xf0, 0xc5, 0, 0, 0, 1}));
  }
  wire::Bytes Proof() {
    return FrameBytes(0xf6, it_.server->Prove("a", it_.Covering("a.example")));
  }

  ServerCerts it_{SIGNET_HTTP2, false};
  End end_{it_.session(), nullptr, 16384, signet_nghttp2_mem_send};
};

TEST_F(Nghttp2ServerCertsTest, ReachTheSessionAsOriginFramesDo) {
  for (const uint8_t byte : Proof()) end_.Take({byte});
  EXPECT_EQ(it_.Authority("https://a.example"), SIGNET_AUTHORITY_IF_DNS);
  end_.Take(OriginFrame("https://a.example"));
  EXPECT_EQ(it_.Authority("https://a.example"), SIGNET_AUTHORITY_YES);
  EXPECT_EQ(end_.SentGoaway(), std::nullopt);
}

TEST_F(Nghttp2ServerCertsTest, IgnoreOriginFramesWithFlagsThatTheyDoNotKnow) {
  end_.Take(Proof());
  for (const uint8_t flag : {0x1, 0x2, 0x4, 0x8}) {
    end_.Take(OriginFrame("https://b.example", flag));
    EXPECT_EQ(it_.Authority("https://a.example"), SIGNET_AUTHORITY_IF_DNS);
  }
  end_.Take(OriginFrame("https://b.example", 0x10));
  EXPECT_EQ(it_.Authority("https://a.example"), SIGNET_AUTHORITY_NO) << "this flag does not matter";
  EXPECT_EQ(end_.SentGoaway(), std::nullopt);
}

TEST_F(Nghttp2ServerCertsTest, IgnoreOriginFramesOfStreams) {
  end_.SubmitRequest();
  end_.Take(Proof());
  end_.Take(OriginFrame("https://b.example", 0, 1));
  EXPECT_EQ(it_.Authority("https://a.example"), SIGNET_AUTHORITY_IF_DNS);
  EXPECT_EQ(end_.SentGoaway(), std::nullopt);
}

TEST_F(Nghttp2ServerCertsTest, BadOnesEndTheConnectionWithTheDraftsError) {
  wire::Bytes proof = Proof();
  proof.back() ^= 1;
  end_.Take(proof);
  EXPECT_EQ(end_.SentGoaway(), it_.numbers.server_certificate_invalid);
}

TEST_F(Nghttp2ServerCertsTest, OnAStreamAreAnError) {
  wire::Bytes proof = Proof();
  proof[8] = 1;
  end_.Take(proof);
  EXPECT_EQ(end_.SentGoaway(), NGHTTP2_PROTOCOL_ERROR);
}

}  // namespace
}  // namespace signet::test
