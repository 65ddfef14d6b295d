// Input: a program of settings, frames, agent bytes and time for one client session; see Step().
#include <signet/client.h>

#include <algorithm>

#include "ipc/wire/authenticator.h"
#include "ipc/wire/authenticator_requests.h"
#include "ipc/wire/framing.h"
#include "ipc/wire/reader.h"
#include "ipc/wire/writer.h"
#include "tests/fuzz/agent_messages.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fake_tls.h"
#include "tests/fuzz/program.h"

namespace signet::fuzz {
namespace {

using wire::Bytes;
using wire::BytesView;

constexpr uint32_t kLimit = 3;
constexpr size_t kEmptySize = 4 + kHashSize;

class Run {
 public:
  Run() {
    signet_session_config config{};
    config.size = sizeof config;
    config.tls = FakeTls();
    config.http = SIGNET_HTTP2;
    config.origin = "https://example.com:443";
    config.limit = kLimit;
    config.deadline_ms = 100;
    session_ = NewSession(config);
    signet_code_points_h2(&numbers_);
  }

  // False when the program has ended.
  bool Step(wire::Reader& program) {
    uint8_t operation, small = 0;
    uint32_t number = 0;
    BytesView bytes;
    if (!program.ReadU8(operation)) return false;
    switch (operation % 12) {
      case 0:
        if (!program.ReadU8(small)) return false;
        Settled(signet_session_peer_setting(session(), numbers_.client_cert_auth, small));
        break;
      case 1:
        Settled(signet_session_peer_settings_done(session()));
        break;
      case 2:
        if (!program.ReadU24(number)) return false;
        signet_session_peer_max_frame_size(session(), number);
        break;
      case 3:
        if (!program.ReadU8(small) || !program.ReadVector16(bytes)) return false;
        Receive(small >> 4, numbers_.authenticator_requests + small % 3, bytes);
        break;
      case 4:
        if (!program.ReadVector8(bytes)) return false;
        AskWell(bytes);
        break;
      case 5:
        if (!program.ReadVector16(bytes)) return false;
        signet_session_agent_input(session(), bytes.data(), bytes.size());
        break;
      case 6:
        signet_session_agent_gone(session(), "gone");
        break;
      case 7:
        signet_session_agent_available(session());
        break;
      case 8:
        if (!program.ReadU8(small)) return false;
        TakeForAgent(small);
        break;
      case 9:
        if (!program.ReadU8(small)) return false;
        AnswerWell(small >> 4, small & 15);
        break;
      case 10:
        NextFrame();
        NextEvent();
        break;
      case 11:
        if (!program.ReadU8(small)) return false;
        now_ += small;
        signet_session_advance(session(), now_);
        break;
    }
    SIGNET_CHECK(signet_session_outstanding(session()) <= kLimit);
    return true;
  }

  // However it went: every request has exactly one answer once time is up.
  void Finish() {
    signet_session_advance(session(), UINT64_MAX);
    SIGNET_CHECK(signet_session_deadline(session()) == SIGNET_NO_DEADLINE);
    const size_t outstanding = signet_session_outstanding(session());
    for (size_t i = 0; i < outstanding; ++i) SIGNET_CHECK(NextFrame());
    SIGNET_CHECK(!NextFrame());
    while (NextEvent()) {
    }
    SIGNET_CHECK(failed_ || (asked_ == answered_ && requested_ == asked_ && settled_ == asked_));
  }

 private:
  signet_session* session() const { return session_.get(); }

  void Settled(signet_status status) { CheckStatus(session(), status, failed_); }

  void Receive(uint64_t stream, uint64_t type, BytesView payload) {
    const size_t before = signet_session_outstanding(session());
    const signet_status status =
        signet_session_receive_frame(session(), stream, type, payload.data(), payload.size(), now_);
    Settled(status);
    if (status == SIGNET_OK) asked_ += signet_session_outstanding(session()) - before;
  }

  // A request for each byte, which is its context.
  void AskWell(BytesView contexts) {
    std::vector<Bytes> requests;
    for (const uint8_t context : contexts) {
      wire::CertificateRequest request;
      request.context = {context};
      request.signature_algorithms = {wire::SignatureScheme::kEd25519};
      requests.push_back(wire::BuildCertificateRequest(request).value());
    }
    const auto payload = wire::BuildAuthenticatorRequests(requests);
    if (payload.ok()) Receive(0, numbers_.authenticator_requests, *payload);
  }

  void TakeForAgent(size_t most) {
    const size_t size = signet_session_agent_output(session()).size;
    SIGNET_CHECK(signet_session_agent_sent(session(), std::min(size, most)) == SIGNET_OK);
    SIGNET_CHECK(signet_session_agent_sent(session(), SIZE_MAX) == SIGNET_ERROR_ARGUMENT);
  }

  void AnswerWell(uint8_t id, uint8_t context) {
    const Bytes certificate = wire::BuildCertificate(Bytes{context}, {Bytes{0x30, 0}}).value();
    const Bytes verify =
        wire::BuildCertificateVerify(wire::SignatureScheme::kEd25519, Bytes(64, 1)).value();
    const Bytes answer = AuthenticateAnswer(id, AuthenticatorMessage(certificate, verify));
    signet_session_agent_input(session(), answer.data(), answer.size());
  }

  bool NextFrame() {
    signet_frame frame;
    const signet_status status = signet_session_next_frame(session(), &frame);
    SIGNET_CHECK(status == SIGNET_OK || status == SIGNET_ERROR_STATE);
    if (status != SIGNET_OK) return false;
    SIGNET_CHECK(!failed_);
    SIGNET_CHECK(frame.type == numbers_.certificate);
    const auto split =
        wire::SplitAuthenticator({frame.payload.data, frame.payload.size}, wire::PrfHash::kSha256);
    SIGNET_CHECK(split.ok() && (!split->empty() || frame.payload.size == kEmptySize));
    ++answered_;
    return true;
  }

  bool NextEvent() {
    signet_event event;
    if (signet_session_next_event(session(), &event) != SIGNET_OK) return false;
    ++(event.type == SIGNET_EVENT_REQUESTED ? requested_ : settled_);
    if (event.type == SIGNET_EVENT_PROVED) SIGNET_CHECK(event.identity && event.kind);
    if (event.type == SIGNET_EVENT_DECLINED) SIGNET_CHECK(event.reason && event.detail);
    return true;
  }

  SessionPtr session_;
  signet_code_points numbers_{};
  uint64_t now_ = 0;
  bool failed_ = false;
  size_t asked_ = 0, answered_ = 0;     // requests accepted, frames given out
  size_t requested_ = 0, settled_ = 0;  // events
};

}  // namespace
}  // namespace signet::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  signet::fuzz::Run run;
  signet::fuzz::Execute(run, signet::wire::Reader({data, size}));
  return 0;
}
