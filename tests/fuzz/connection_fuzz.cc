// Input: a program for a whole connection: a session and a requester of libsignet, the frames
// between them, an honest agent, and time. Frames may be spoiled, doubled, lost and swapped on
// their way. Whatever happens, the server believes only what the agent proved; and as long as
// nobody meddles, each request has its own answer and no side finds a fault.
#include <signet/client.h>
#include <signet/server.h>

#include <algorithm>
#include <deque>
#include <set>

#include "ipc/wire/framing.h"
#include "ipc/wire/reader.h"
#include "tests/fuzz/agent_messages.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fake_tls.h"
#include "tests/fuzz/program.h"

namespace signet::fuzz {
namespace {

using wire::Bytes;
using wire::BytesView;

struct Frame {
  uint64_t type;
  Bytes payload;
};

// What one side sent and the other has not yet received.
class Wire {
 public:
  void Push(const signet_frame& frame) {
    frames_.push_back({frame.type, {frame.payload.data, frame.payload.data + frame.payload.size}});
  }
  bool empty() const { return frames_.empty(); }
  Frame Pop() {
    Frame frame = std::move(frames_.front());
    frames_.pop_front();
    return frame;
  }
  // True when that changed anything.
  bool Meddle(uint8_t how, uint8_t where) {
    if (frames_.empty()) return false;
    Bytes& payload = frames_.front().payload;
    switch (how % 5) {
      case 0:
        if (payload.empty()) return false;
        payload[where * payload.size() / 256] ^= 0x10;
        return true;
      case 1:
        payload.push_back(where);
        return true;
      case 2:
        frames_.push_back(frames_.front());
        return true;
      case 3:
        frames_.pop_front();
        return true;
      default:
        std::swap(frames_.front(), frames_.back());
        return frames_.size() > 1;
    }
  }

 private:
  std::deque<Frame> frames_;
};

class Connection {
 public:
  explicit Connection(uint8_t limit) {
    signet_session_config client{};
    client.size = sizeof client;
    client.tls = FakeTls();
    client.http = SIGNET_HTTP2;
    client.origin = "https://example.com:443";
    client.limit = 1 + limit % 4;
    client.deadline_ms = 100;
    session_ = NewSession(client);
    signet_requester_config server{};
    server.size = sizeof server;
    server.tls = FakeTls();
    server.http = SIGNET_HTTP2;
    requester_ = NewRequester(server);
    signet_session* session = session_.get();
    signet_requester* requester = requester_.get();
    signet_setting setting;
    signet_session_settings(session, &setting, 1);
    SIGNET_CHECK(signet_requester_peer_setting(requester, setting.id, setting.value) == SIGNET_OK);
    signet_requester_settings(requester, &setting, 1);
    SIGNET_CHECK(signet_session_peer_setting(session, setting.id, setting.value) == SIGNET_OK);
    SIGNET_CHECK(signet_session_peer_settings_done(session) == SIGNET_OK);
  }

  // False when the program has ended.
  bool Step(wire::Reader& program) {
    uint8_t operation, small = 0, place = 0;
    if (!program.ReadU8(operation)) return false;
    switch (operation % 8) {
      case 0:
        if (!program.ReadU8(small)) return false;
        Ask(1 + small % 4);
        break;
      case 1:
        ToClient();
        break;
      case 2:
        ToServer();
        break;
      case 3:
        if (!program.ReadU8(small)) return false;
        Agent(small);
        break;
      case 4:
        if (!program.ReadU8(small)) return false;
        signet_session_advance(session_.get(), now_ += small);
        break;
      case 5:
        if (!program.ReadU8(small) || !program.ReadU8(place)) return false;
        meddled_ = (small & 0x80 ? to_client_ : to_server_).Meddle(small & 0x7f, place) || meddled_;
        break;
      case 6:
        signet_session_agent_gone(session_.get(), "gone");
        calls_.clear();
        break;
      case 7:
        signet_session_agent_available(session_.get());
        break;
    }
    return true;
  }

  void Finish() {
    ToClient();
    signet_session_advance(session_.get(), UINT64_MAX);
    ToServer();
    if (meddled_) return;
    SIGNET_CHECK(answered_ == asked_);
    SIGNET_CHECK(signet_session_outstanding(session_.get()) == 0);
  }

 private:
  void Ask(size_t count) {
    signet_request anything{};
    anything.size = sizeof anything;
    const std::vector<signet_request> requests(
        std::min(count, signet_requester_available(requester_.get())), anything);
    if (requests.empty()) return;
    SIGNET_CHECK(signet_requester_request(requester_.get(), requests.data(), requests.size(),
                                          nullptr) == SIGNET_OK);
    asked_ += requests.size();
    signet_frame frame;
    while (signet_requester_next_frame(requester_.get(), &frame) == SIGNET_OK) {
      to_client_.Push(frame);
    }
  }

  void ToClient() {
    while (!to_client_.empty()) {
      const Frame frame = to_client_.Pop();
      const signet_status status = signet_session_receive_frame(
          session_.get(), 0, frame.type, frame.payload.data(), frame.payload.size(), now_);
      SIGNET_CHECK(status == SIGNET_OK || meddled_);
    }
  }

  void ToServer() {
    signet_frame sent;
    while (signet_session_next_frame(session_.get(), &sent) == SIGNET_OK) to_server_.Push(sent);
    while (!to_server_.empty()) {
      const Frame frame = to_server_.Pop();
      const signet_status status = signet_requester_receive_frame(
          requester_.get(), 0, frame.type, frame.payload.data(), frame.payload.size());
      SIGNET_CHECK(status == SIGNET_OK || meddled_);
    }
    signet_answer answer;
    while (signet_requester_next_answer(requester_.get(), &answer) == SIGNET_OK) {
      SIGNET_CHECK(answer.id == ++answered_);
      SIGNET_CHECK(answer.result != SIGNET_RESULT_INVALID || meddled_);
      if (answer.result != SIGNET_RESULT_IDENTITY) continue;
      SIGNET_CHECK(answer.chain_length == 1);
      const Bytes leaf(answer.chain[0].data, answer.chain[0].data + answer.chain[0].size);
      SIGNET_CHECK(proved_.erase(leaf) == 1);  // by the agent, and not more than once
    }
  }

  // Takes what the session says, and proves or declines one call.
  void Agent(uint8_t how) {
    for (;;) {
      const signet_bytes output = signet_session_agent_output(session_.get());
      if (output.size == 0) break;
      inbox_.Feed({output.data, output.size});
      SIGNET_CHECK(signet_session_agent_sent(session_.get(), output.size) == SIGNET_OK);
    }
    while (const auto message = inbox_.Next()) {
      if (auto call = ReadCall(*message)) calls_.push_back(*std::move(call));
    }
    if (calls_.empty()) return;
    const size_t chosen = how % calls_.size();
    const Call call = calls_[chosen];
    calls_.erase(calls_.begin() + static_cast<ptrdiff_t>(chosen));
    Bytes reply;
    if (how & 0x80) {
      reply = DeclineMessage(call.id, 1 + how % 8);
    } else {
      // A leaf of its own for each proof, so that one is not taken for another.
      const Bytes leaf = {0x30, 2, static_cast<uint8_t>(++proofs_ >> 8),
                          static_cast<uint8_t>(proofs_)};
      proved_.insert(leaf);
      reply = ProofMessage(call, leaf);
    }
    const signet_status status =
        signet_session_agent_input(session_.get(), reply.data(), reply.size());
    SIGNET_CHECK(status == SIGNET_OK || status == SIGNET_ERROR_STATE);
  }

  SessionPtr session_;
  RequesterPtr requester_;
  Wire to_client_, to_server_;
  wire::MessageReader inbox_;
  std::vector<Call> calls_;
  std::set<Bytes> proved_;
  uint64_t now_ = 0, asked_ = 0, answered_ = 0, proofs_ = 0;
  bool meddled_ = false;
};

}  // namespace
}  // namespace signet::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  signet::wire::Reader program({data, size});
  uint8_t limit = 0;
  if (!program.ReadU8(limit)) return 0;
  signet::fuzz::Connection connection(limit);
  signet::fuzz::Execute(connection, program);
  return 0;
}
