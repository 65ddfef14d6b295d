// signet/http3.h between a session and a requester; the HTTP/3 stacks are bytes written by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signet/http3.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "client-lib/src/server_certs_calls.h"
#include "ipc/wire/reader.h"
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

constexpr uint64_t kRequests = 0xf4f4a1;
constexpr uint64_t kCertificate = 0xf4f4a2;
constexpr uint64_t kSetting = 0xf4f4c4;
constexpr uint64_t kClientControl = 2, kServerControl = 3, kRequestStream = 0;

Bytes Joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Bytes FrameBytes(uint64_t type, const Bytes& payload) {
  wire::Writer writer;
  writer.Varint(type);
  writer.Varint(payload.size());
  writer.Append(payload);
  return writer.Take();
}

Bytes Settings(const std::vector<std::pair<uint64_t, uint64_t>>& entries) {
  wire::Writer payload;
  for (const auto& [id, value] : entries) {
    payload.Varint(id);
    payload.Varint(value);
  }
  return FrameBytes(0x4, payload.bytes());
}

const Bytes kControlType = {0};
// What a stack writes: a setting of its own, and later a frame that is as long as one can be with
// a length of one byte.
const Bytes kStackHead = Joined({kControlType, Settings({{0x6, 16384}})});
const Bytes kStackFrame = FrameBytes(0x0d, Bytes(63, 0x00));

struct FreeHttp3 {
  void operator()(signet_http3* http3) const { signet_http3_free(http3); }
};
using Http3Ptr = std::unique_ptr<signet_http3, FreeHttp3>;

class Http3Test : public ::testing::Test {
 protected:
  Http3Test() {
    signet_http3* made = nullptr;
    EXPECT_EQ(signet_http3_new_client(pair_.session.get(), &made), SIGNET_OK);
    client_.reset(made);
    EXPECT_EQ(signet_http3_new_server(pair_.requester.get(), &made), SIGNET_OK);
    server_.reset(made);
  }

  static signet_status Write(const Http3Ptr& end, const Bytes& bytes) {
    return signet_http3_write(end.get(), bytes.data(), bytes.size());
  }
  // Sends all that there is, and has it acknowledged.
  static Bytes TakeOutput(const Http3Ptr& end) {
    Bytes all;
    for (;;) {
      const signet_bytes next = signet_http3_output(end.get());
      if (next.size == 0) break;
      all.insert(all.end(), next.data, next.data + next.size);
      EXPECT_EQ(signet_http3_sent(end.get(), next.size), SIGNET_OK);
    }
    uint64_t of_stack = 0;
    EXPECT_EQ(signet_http3_acknowledged(end.get(), all.size(), &of_stack), SIGNET_OK);
    return all;
  }
  static signet_status Receive(const Http3Ptr& end, uint64_t stream, const Bytes& bytes) {
    return signet_http3_receive(end.get(), stream, bytes.data(), bytes.size(), 0);
  }
  void Negotiate() {
    ASSERT_EQ(Write(client_, kStackHead), SIGNET_OK);
    ASSERT_EQ(Write(server_, kStackHead), SIGNET_OK);
    ASSERT_EQ(Receive(server_, kClientControl, TakeOutput(client_)), SIGNET_OK);
    ASSERT_EQ(Receive(client_, kServerControl, TakeOutput(server_)), SIGNET_OK);
    ASSERT_TRUE(signet_session_negotiated(pair_.session.get()));
  }
  void Ask(size_t count) {
    signet_request anything{};
    anything.size = sizeof anything;
    const std::vector<signet_request> requests(count, anything);
    ASSERT_EQ(signet_requester_request(pair_.requester.get(), requests.data(), count, nullptr),
              SIGNET_OK);
  }
  size_t outstanding() const { return signet_session_outstanding(pair_.session.get()); }

  ClientAndServer pair_{{.http = SIGNET_HTTP3, .negotiate = false}};
  Http3Ptr client_, server_;
};

// -- our control stream

TEST_F(Http3Test, AddsOurSettingToThoseOfTheStackHoweverTheyAreCut) {
  const Bytes stack = Joined({kStackHead, kStackFrame});
  const Bytes sent = Joined({kControlType, Settings({{0x6, 16384}, {kSetting, 4}}), kStackFrame});
  for (size_t cut = 0; cut <= stack.size(); ++cut) {
    signet_http3* made = nullptr;
    ASSERT_EQ(signet_http3_new_client(pair_.session.get(), &made), SIGNET_OK);
    const Http3Ptr end(made);
    ASSERT_EQ(Write(end, Bytes(stack.begin(), stack.begin() + cut)), SIGNET_OK);
    Bytes got = TakeOutput(end);
    ASSERT_EQ(Write(end, Bytes(stack.begin() + cut, stack.end())), SIGNET_OK);
    got = Joined({got, TakeOutput(end)});
    EXPECT_EQ(got, sent) << "cut at " << cut;
  }
}

TEST(Http3SettingsTest, HasBothSettingsAndTakesEachOnce) {
  constexpr uint64_t kServerSetting = 0xf4f4c6;
  for (const uint64_t twice : {kSetting, kServerSetting}) {
    ServerCerts it(SIGNET_HTTP3, false);
    signet_http3* made = nullptr;
    ASSERT_EQ(signet_http3_new_client(it.session(), &made), SIGNET_OK);
    const Http3Ptr end(made);
    ASSERT_EQ(signet_http3_write(made, kStackHead.data(), kStackHead.size()), SIGNET_OK);
    const signet_bytes sent = signet_http3_output(made);
    EXPECT_EQ(Bytes(sent.data, sent.data + sent.size),
              Joined({kControlType, Settings({{0x6, 16384}, {kSetting, 4}, {kServerSetting, 1}})}));

    const Bytes twice_there =
        Joined({kControlType, Settings({{kServerSetting, 1}, {kSetting, 1}, {twice, 1}})});
    EXPECT_EQ(signet_http3_receive(made, kServerControl, twice_there.data(), twice_there.size(), 0),
              SIGNET_ERROR_CONNECTION);
    signet_connection_error error;
    ASSERT_EQ(signet_http3_error(made, &error), SIGNET_OK);
    EXPECT_STREQ(error.name, "H3_SETTINGS_ERROR");
    EXPECT_THAT(error.detail, HasSubstr("twice"));
  }
}

class Http3ServerCertsTest : public ::testing::Test {
 protected:
  Http3ServerCertsTest() {
    signet_http3* made = nullptr;
    EXPECT_EQ(signet_http3_new_client(it_.session(), &made), SIGNET_OK);
    end_.reset(made);
    EXPECT_EQ(Receive(kServerControl, Joined({kControlType, Settings({{0xf4f4c6, 1}})})),
              SIGNET_OK);
  }
  signet_status Receive(uint64_t stream, const Bytes& bytes) {
    return signet_http3_receive(end_.get(), stream, bytes.data(), bytes.size(), 0);
  }
  Bytes Proof(const std::string& host) {
    return FrameBytes(it_.numbers.server_certificate, it_.server->Prove("a", it_.Covering(host)));
  }
  // RFC 9412 section 2, of one entry.
  static Bytes OriginFrame(const std::string& origin) {
    wire::Writer payload;
    payload.Vector16(Bytes(origin.begin(), origin.end()));
    return FrameBytes(0x0c, payload.bytes());
  }

  ServerCerts it_{SIGNET_HTTP3, false};
  Http3Ptr end_;
};

TEST_F(Http3ServerCertsTest, ReachTheSessionByteByByte) {
  for (const uint8_t byte : Joined({Proof("a.example"), OriginFrame("https://a.example")})) {
    ASSERT_EQ(Receive(kServerControl, {byte}), SIGNET_OK);
  }
  EXPECT_EQ(it_.Authority("https://a.example"), SIGNET_AUTHORITY_YES);
}

TEST_F(Http3ServerCertsTest, OnARequestStreamAreAnErrorButOriginsAreIgnored) {
  EXPECT_EQ(Receive(kRequestStream, OriginFrame("https://a.example")), SIGNET_OK);
  EXPECT_EQ(Receive(kRequestStream, Proof("a.example")), SIGNET_ERROR_CONNECTION);
  signet_connection_error error;
  ASSERT_EQ(signet_http3_error(end_.get(), &error), SIGNET_OK);
  EXPECT_STREQ(error.name, "H3_FRAME_UNEXPECTED");
}

TEST_F(Http3ServerCertsTest, BadOnesEndTheConnectionWithTheDraftsError) {
  Bytes proof = Proof("a.example");
  proof.back() ^= 1;
  EXPECT_EQ(Receive(kServerControl, proof), SIGNET_ERROR_CONNECTION);
  signet_connection_error error;
  ASSERT_EQ(signet_http3_error(end_.get(), &error), SIGNET_OK);
  EXPECT_STREQ(error.name, "SERVER_CERTIFICATE_INVALID");
  EXPECT_EQ(error.code, it_.numbers.server_certificate_invalid);
}

TEST_F(Http3Test, PutsFramesBetweenThoseOfTheStackOnly) {
  Negotiate();
  Ask(1);
  for (size_t cut = 1; cut < kStackFrame.size(); ++cut) {
    const Bytes begun(kStackFrame.begin(), kStackFrame.begin() + cut);
    const Bytes rest(kStackFrame.begin() + cut, kStackFrame.end());
    ASSERT_EQ(Write(server_, begun), SIGNET_OK);
    EXPECT_EQ(TakeOutput(server_), begun) << "ours has to wait";
    ASSERT_EQ(Write(server_, rest), SIGNET_OK);
    const Bytes next = TakeOutput(server_);
    ASSERT_EQ(Bytes(next.begin(), next.begin() + rest.size()), rest);
    if (cut > 1) continue;
    ASSERT_EQ(Receive(client_, kServerControl, begun), SIGNET_OK);
    ASSERT_EQ(Receive(client_, kServerControl, next), SIGNET_OK);
    EXPECT_EQ(outstanding(), 1u);
  }
}

TEST_F(Http3Test, SendsNothingBeforeTheSettingsOfTheStack) {
  ASSERT_EQ(Receive(server_, kClientControl, Joined({kControlType, Settings({{kSetting, 4}})})),
            SIGNET_OK);
  Ask(1);
  EXPECT_THAT(TakeOutput(server_), IsEmpty());
  ASSERT_EQ(Write(server_, kStackHead), SIGNET_OK);
  const Bytes sent = TakeOutput(server_);
  EXPECT_EQ(Receive(client_, kServerControl, sent), SIGNET_OK);
  EXPECT_EQ(outstanding(), 1u);
}

TEST_F(Http3Test, TellsTheStackWhichOfItsBytesAreAcknowledged) {
  Negotiate();
  Ask(2);
  ASSERT_EQ(Write(server_, kStackFrame), SIGNET_OK);
  size_t sent = 0;
  for (size_t i = 0; i < 2; ++i) {
    for (;;) {
      const size_t size = signet_http3_output(server_.get()).size;
      if (size == 0) break;
      ASSERT_EQ(signet_http3_sent(server_.get(), (size + 1) / 2), SIGNET_OK);
      sent += (size + 1) / 2;
    }
    ASSERT_EQ(Write(server_, kStackFrame), SIGNET_OK);
  }
  uint64_t of_stack = 0;
  EXPECT_EQ(signet_http3_acknowledged(server_.get(), sent + 1, &of_stack), SIGNET_ERROR_ARGUMENT)
      << "the last frame was not sent";
  // The stack's frame, our one of both requests, the stack's other frame.
  size_t passed = 0;
  for (size_t i = 1; i <= sent; ++i) {
    ASSERT_EQ(signet_http3_acknowledged(server_.get(), 1, &of_stack), SIGNET_OK);
    passed += of_stack;
    const size_t first = std::min(i, kStackFrame.size());
    const size_t second = i + kStackFrame.size() > sent ? i + kStackFrame.size() - sent : 0;
    EXPECT_EQ(passed, first + second) << "after " << i;
  }
  EXPECT_EQ(passed, 2 * kStackFrame.size());
}

TEST_F(Http3Test, CountsTheSettingsAsTheStackWroteThem) {
  ASSERT_EQ(Write(client_, kStackHead), SIGNET_OK);
  const size_t size = signet_http3_output(client_.get()).size;
  ASSERT_GT(size, kStackHead.size());
  ASSERT_EQ(signet_http3_sent(client_.get(), size), SIGNET_OK);
  uint64_t of_stack = 9;
  ASSERT_EQ(signet_http3_acknowledged(client_.get(), size - 1, &of_stack), SIGNET_OK);
  EXPECT_EQ(of_stack, 0u);
  ASSERT_EQ(signet_http3_acknowledged(client_.get(), 1, &of_stack), SIGNET_OK);
  EXPECT_EQ(of_stack, kStackHead.size());
}

TEST_F(Http3Test, LeavesBytesInPlaceUntilTheyAreAcknowledged) {
  ASSERT_EQ(Write(client_, kStackHead), SIGNET_OK);
  const signet_bytes first = signet_http3_output(client_.get());
  const Bytes before(first.data, first.data + first.size);
  ASSERT_EQ(signet_http3_sent(client_.get(), first.size), SIGNET_OK);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(Write(client_, kStackFrame), SIGNET_OK);
    const signet_bytes next = signet_http3_output(client_.get());
    ASSERT_EQ(signet_http3_sent(client_.get(), next.size), SIGNET_OK);
  }
  EXPECT_EQ(Bytes(first.data, first.data + first.size), before) << "QUIC sends it again from here";
}

// A peer that gives the control stream no credit: frames wait in the session, and break its limit.
TEST_F(Http3Test, LeavesFramesInTheSessionWhileQuicTakesNothing) {
  Negotiate();
  signet_session_agent_gone(pair_.session.get(), "");
  size_t asked = 0;
  while (asked < 100 &&
         Receive(client_, kServerControl,
                 FrameBytes(kRequests, RequestsPayload({std::to_string(asked)}))) == SIGNET_OK) {
    ++asked;
    EXPECT_GT(signet_http3_output(client_.get()).size, 0u);
  }
  EXPECT_EQ(asked, 5u) << "one answer waits here, and four requests in the session";
  signet_connection_error error;
  ASSERT_EQ(signet_http3_error(client_.get(), &error), SIGNET_OK);
  EXPECT_STREQ(error.name, "H3_FRAME_UNEXPECTED");
}

TEST_F(Http3Test, RefusesAStackThatWritesNoControlStream) {
  EXPECT_EQ(Write(client_, {0x02}), SIGNET_ERROR_ARGUMENT) << "QPACK";
  EXPECT_EQ(Write(client_, kStackHead), SIGNET_ERROR_ARGUMENT) << "for good";
  EXPECT_EQ(Write(server_, Joined({kControlType, FrameBytes(0x07, {0})})), SIGNET_ERROR_ARGUMENT);
  EXPECT_THAT(TakeOutput(server_), IsEmpty());
}

TEST_F(Http3Test, PassesEverythingOfAConnectionThatCarriesNoAuthenticators) {
  signet_http3* made = nullptr;
  ASSERT_EQ(signet_http3_new_client(nullptr, &made), SIGNET_OK);
  const Http3Ptr plain(made);
  ASSERT_EQ(Write(plain, Joined({kStackHead, kStackFrame})), SIGNET_OK);
  EXPECT_EQ(TakeOutput(plain), Joined({kStackHead, kStackFrame}));
  EXPECT_EQ(Receive(plain, kRequestStream, FrameBytes(kRequests, {})), SIGNET_OK);
  signet_connection_error error;
  EXPECT_EQ(signet_http3_error(plain.get(), &error), SIGNET_ERROR_STATE);
}

// -- the peer's streams

TEST_F(Http3Test, ReadsTheControlStreamHoweverItIsCut) {
  ASSERT_EQ(Write(server_, kStackHead), SIGNET_OK);
  const Bytes bytes =
      Joined({TakeOutput(server_), kStackFrame, FrameBytes(kRequests, RequestsPayload({"a", "b"})),
              FrameBytes(0x21, {}), FrameBytes(kRequests, RequestsPayload({"c"}))});
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    ClientAndServer pair({.http = SIGNET_HTTP3, .negotiate = false});
    signet_http3* made = nullptr;
    ASSERT_EQ(signet_http3_new_client(pair.session.get(), &made), SIGNET_OK);
    const Http3Ptr end(made);
    ASSERT_EQ(Receive(end, kServerControl, Bytes(bytes.begin(), bytes.begin() + cut)), SIGNET_OK);
    ASSERT_EQ(Receive(end, kServerControl, Bytes(bytes.begin() + cut, bytes.end())), SIGNET_OK);
    EXPECT_EQ(signet_session_outstanding(pair.session.get()), 3u) << "cut at " << cut;
  }
}

TEST_F(Http3Test, ProvesAnIdentity) {
  Negotiate();
  Ask(2);
  ASSERT_EQ(Receive(client_, kServerControl, TakeOutput(server_)), SIGNET_OK);
  pair_.TellAgent();
  ASSERT_EQ(pair_.AgentSays(pair_.agent.Proof(1, 40000)), SIGNET_OK);
  ASSERT_EQ(pair_.AgentSays(pair_.agent.Proof(2)), SIGNET_OK);
  const Bytes answers = TakeOutput(client_);
  for (const uint8_t byte : answers) ASSERT_EQ(Receive(server_, kClientControl, {byte}), SIGNET_OK);
  std::vector<signet_result> results;
  for (const Answer& answer : pair_.Answers()) results.push_back(answer.result);
  EXPECT_THAT(results, ElementsAre(SIGNET_RESULT_IDENTITY, SIGNET_RESULT_IDENTITY));
}

TEST_F(Http3Test, KnowsWhetherTheSettingsAreThere) {
  EXPECT_FALSE(signet_http3_peer_settings_received(server_.get()));
  ASSERT_EQ(Receive(server_, kRequestStream, FrameBytes(0x01, {1, 2, 3})), SIGNET_OK)
      << "a request overtakes them";
  ASSERT_EQ(Receive(server_, kClientControl, kControlType), SIGNET_OK);
  EXPECT_FALSE(signet_http3_peer_settings_received(server_.get()));
  ASSERT_EQ(Receive(server_, kClientControl, Settings({{kSetting, 3}})), SIGNET_OK);
  EXPECT_TRUE(signet_http3_peer_settings_received(server_.get()));
  EXPECT_EQ(signet_requester_available(pair_.requester.get()), 3u);
}

TEST_F(Http3Test, LooksAtNoOtherUnidirectionalStreams) {
  Negotiate();
  const Bytes ours = FrameBytes(kRequests, RequestsPayload({"a"}));
  EXPECT_EQ(Receive(client_, 7, Joined({{0x02}, ours})), SIGNET_OK) << "QPACK";
  EXPECT_EQ(Receive(client_, 11, Joined({{0x01}, ours})), SIGNET_OK) << "push";
  EXPECT_EQ(Receive(client_, 15, Joined({{0x21}, ours})), SIGNET_OK) << "grease";
  EXPECT_EQ(Receive(client_, 19, Joined({kControlType, ours})), SIGNET_OK)
      << "the stack refuses it";
  EXPECT_EQ(outstanding(), 0u);
}

TEST_F(Http3Test, LeavesAControlStreamWithoutSettingsToTheStack) {
  EXPECT_EQ(Receive(client_, kServerControl,
                    Joined({kControlType, FrameBytes(kRequests, RequestsPayload({"a"}))})),
            SIGNET_OK);
  EXPECT_EQ(Receive(client_, kServerControl, Settings({{kSetting, 1}})), SIGNET_OK);
  EXPECT_FALSE(signet_session_negotiated(pair_.session.get()));
}

// -- one row for each rule that a peer can break here

struct Breach {
  const char* name;
  bool by_server;
  uint64_t stream;
  Bytes bytes;
  const char* error;
  uint64_t code;
  const char* detail;
};

void PrintTo(const Breach& row, std::ostream* out) { *out << row.name; }

Bytes Head(uint64_t type, uint64_t length) {
  wire::Writer writer;
  writer.Varint(type);
  writer.Varint(length);
  return writer.Take();
}

const Breach kBreaches[] = {
    {"RequestsOnARequestStream", true, kRequestStream, Head(kRequests, 9), "H3_FRAME_UNEXPECTED",
     0x105, "wrong stream"},
    {"CertificateOnARequestStream", false, kRequestStream,
     Joined({FrameBytes(0x01, {1, 2}), FrameBytes(0x00, Bytes(500)), Head(kCertificate, 9)}),
     "H3_FRAME_UNEXPECTED", 0x105, ""},
    {"RequestsFromAClient", false, kClientControl, FrameBytes(kRequests, RequestsPayload({"a"})),
     "H3_FRAME_UNEXPECTED", 0x105, ""},
    {"CertificateFromAServer", true, kServerControl, FrameBytes(kCertificate, {1}),
     "H3_FRAME_UNEXPECTED", 0x105, "from the server"},
    {"CertificateThatNobodyAskedFor", false, kClientControl, FrameBytes(kCertificate, {1}),
     "H3_FRAME_UNEXPECTED", 0x105, ""},
    {"EmptyRequests", true, kServerControl, FrameBytes(kRequests, {}), "H3_MESSAGE_ERROR", 0x10e,
     "malformed"},
    {"CutRequests", true, kServerControl, FrameBytes(kRequests, {0x20, 13}), "H3_MESSAGE_ERROR",
     0x10e, "malformed"},
    {"MoreRequestsThanTheLimit", true, kServerControl,
     FrameBytes(kRequests, RequestsPayload({"a", "b", "c", "d", "e"})), "H3_FRAME_UNEXPECTED",
     0x105, "limit"},
    {"TooLargeRequests", true, kServerControl, Head(kRequests, 262145), "H3_EXCESSIVE_LOAD", 0x107,
     "too large"},
    {"TooLargeCertificate", false, kClientControl, Head(kCertificate, 1ull << 40),
     "H3_EXCESSIVE_LOAD", 0x107, "too large"},
    {"SecondSettings", true, kServerControl, Settings({{kSetting, 1}}), "H3_FRAME_UNEXPECTED",
     0x105, "second SETTINGS"},
};

class Http3BreachTest : public Http3Test, public ::testing::WithParamInterface<Breach> {};

TEST_P(Http3BreachTest, EndsTheConnection) {
  Negotiate();
  const Breach& row = GetParam();
  const Http3Ptr& end = row.by_server ? client_ : server_;
  EXPECT_EQ(Receive(end, row.stream, row.bytes), SIGNET_ERROR_CONNECTION);
  signet_connection_error error{};
  ASSERT_EQ(signet_http3_error(end.get(), &error), SIGNET_OK);
  EXPECT_STREQ(error.name, row.error);
  EXPECT_EQ(error.code, row.code);
  EXPECT_THAT(error.detail, HasSubstr(row.detail));
  EXPECT_EQ(outstanding(), 0u);
  pair_.TellAgent();
  EXPECT_THAT(pair_.agent.calls(), IsEmpty()) << "nobody is asked to sign";
  EXPECT_EQ(Receive(end, row.stream, row.bytes), SIGNET_ERROR_STATE);
}

INSTANTIATE_TEST_SUITE_P(Rules, Http3BreachTest, ::testing::ValuesIn(kBreaches),
                         [](const auto& test) { return std::string(test.param.name); });

struct BadSettings {
  const char* name;
  std::vector<std::pair<uint64_t, uint64_t>> entries;
  const char* detail;
};

TEST_F(Http3Test, RefusesSettingsThatTheDraftForbids) {
  for (const BadSettings& row :
       {BadSettings{"value", {{kSetting, 2}}, "is not 1"},
        BadSettings{"twice", {{kSetting, 1}, {0x6, 9}, {kSetting, 1}}, "twice"}}) {
    ClientAndServer pair({.http = SIGNET_HTTP3, .negotiate = false});
    signet_http3* made = nullptr;
    ASSERT_EQ(signet_http3_new_client(pair.session.get(), &made), SIGNET_OK);
    const Http3Ptr end(made);
    EXPECT_EQ(Receive(end, kServerControl, Joined({kControlType, Settings(row.entries)})),
              SIGNET_ERROR_CONNECTION)
        << row.name;
    signet_connection_error error{};
    ASSERT_EQ(signet_http3_error(end.get(), &error), SIGNET_OK);
    EXPECT_STREQ(error.name, "H3_SETTINGS_ERROR");
    EXPECT_THAT(error.detail, HasSubstr(row.detail));
  }
}

TEST_F(Http3Test, RefusesSettingsThatAreTooLarge) {
  EXPECT_EQ(Receive(client_, kServerControl, Joined({kControlType, Head(0x4, 16385)})),
            SIGNET_ERROR_CONNECTION);
  signet_connection_error error{};
  ASSERT_EQ(signet_http3_error(client_.get(), &error), SIGNET_OK);
  EXPECT_STREQ(error.name, "H3_EXCESSIVE_LOAD");
}

}  // namespace
}  // namespace signet::test
