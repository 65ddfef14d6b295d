// Input: a byte that chooses the HTTP version, then a program of settings and frames of a server
// with secondary certificates, for one client session; see Step(). A model of what was rightly
// proved and named says for which origins the session may be used.
#include <signet/client.h>

#include <set>
#include <string>

#include "ipc/wire/reader.h"
#include "ipc/wire/writer.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fake_server_certs.h"
#include "tests/fuzz/fake_tls.h"
#include "tests/fuzz/program.h"

namespace signet::fuzz {
namespace {

using wire::Bytes;
using wire::BytesView;

// As many numbers as the model knows; see Leaf().
constexpr uint8_t kServers = 16;

class Run {
 public:
  explicit Run(signet_http http) {
    signet_session_config config{};
    config.size = sizeof config;
    config.tls = FakeTls();
    config.http = http;
    config.origin = "https://own.example";
    TakeServerCerts(config);
    session_ = NewSession(config);
    http == SIGNET_HTTP2 ? signet_code_points_h2(&numbers_) : signet_code_points_h3(&numbers_);
  }

  // False when the program has ended.
  bool Step(wire::Reader& program) {
    uint8_t operation, small = 0, other = 0;
    BytesView bytes;
    if (!program.ReadU8(operation)) return false;
    switch (operation % 7) {
      case 0:
        if (!program.ReadU8(small)) return false;
        Settled(signet_session_peer_setting(session(), numbers_.server_cert_auth, small));
        break;
      case 1:
        Settled(signet_session_peer_settings_done(session()));
        break;
      case 2:
        if (!program.ReadU8(small) || !program.ReadVector16(bytes)) return false;
        meddled_ = true;
        Receive(small >> 4, small % 2 == 0 ? numbers_.server_certificate : 0x0c, bytes);
        break;
      case 3:
        if (!program.ReadU8(small) || !program.ReadU8(other)) return false;
        Prove(small, other % kServers);
        break;
      case 4:
        if (!program.ReadVector8(bytes)) return false;
        Name(bytes);
        break;
      case 5:
        if (!program.ReadU8(small)) return false;
        small %= kServers;
        signet_session_misdirected(session(), OriginOf(small).c_str());
        named_.erase(small);
        misdirected_.insert(small);
        break;
      case 6:
        if (!program.ReadVector8(bytes)) return false;
        signet_session_is_authoritative(session(), std::string(bytes.begin(), bytes.end()).c_str());
        NextEvent();
        break;
    }
    return true;
  }

  void Finish() {
    while (NextEvent()) {
    }
    for (uint8_t n = 0; n < kServers; ++n) CheckAuthority(n);
    SIGNET_CHECK(signet_session_is_authoritative(session(), "https://own.example:443") ==
                 (failed_ ? SIGNET_AUTHORITY_NO : SIGNET_AUTHORITY_YES));
  }

 private:
  signet_session* session() const { return session_.get(); }

  void Settled(signet_status status) { CheckStatus(session(), status, failed_); }

  signet_status Receive(uint64_t stream, uint64_t type, BytesView payload) {
    const signet_status status =
        signet_session_receive_frame(session(), stream, type, payload.data(), payload.size(), 0);
    Settled(status);
    return status;
  }

  void Prove(uint8_t context, uint8_t n) {
    const bool good = !failed_ && signet_session_server_certs_negotiated(session()) &&
                      (proofs_ >= SIGNET_MAX_SERVER_PROOFS || !contexts_.contains(context));
    const signet_status status = Receive(0, numbers_.server_certificate, ServerProof(context, n));
    if (!meddled_) SIGNET_CHECK((status == SIGNET_OK) == good);
    if (status != SIGNET_OK) return;
    contexts_.insert(context);
    if (++proofs_ <= SIGNET_MAX_SERVER_PROOFS && IsWanted(n)) proved_.insert(n);
  }

  void Name(BytesView names) {
    wire::Writer payload;
    for (const uint8_t n : names) {
      const std::string origin = OriginOf(n % kServers);
      payload.Vector16(Bytes(origin.begin(), origin.end()));
    }
    if (Receive(0, 0x0c, payload.bytes()) != SIGNET_OK) return;
    origin_frame_ = true;
    for (const uint8_t n : names) {
      named_.insert(n % kServers);
      misdirected_.erase(n % kServers);
    }
  }

  void CheckAuthority(uint8_t n) const {
    const signet_authority authority =
        signet_session_is_authoritative(session(), OriginOf(n).c_str());
    // Bytes that the fuzzer made itself can name origins, too, and prove nothing.
    const bool possible =
        !failed_ && proved_.contains(n) && (meddled_ || !misdirected_.contains(n));
    if (!possible) SIGNET_CHECK(authority == SIGNET_AUTHORITY_NO);
    if (!possible || meddled_) return;
    SIGNET_CHECK(authority == (named_.contains(n) ? SIGNET_AUTHORITY_YES
                               : origin_frame_    ? SIGNET_AUTHORITY_NO
                                                  : SIGNET_AUTHORITY_IF_DNS));
  }

  bool NextEvent() {
    signet_event event;
    if (signet_session_next_event(session(), &event) != SIGNET_OK) return false;
    SIGNET_CHECK(event.type == SIGNET_EVENT_SERVER_PROVED ||
                 event.type == SIGNET_EVENT_SERVER_UNWANTED);
    for (const char* c = event.subject; *c != '\0'; ++c) SIGNET_CHECK(*c >= ' ' && *c <= '~');
    if (event.type == SIGNET_EVENT_SERVER_UNWANTED) SIGNET_CHECK(event.reason && event.detail);
    return true;
  }

  SessionPtr session_;
  signet_code_points numbers_{};
  bool failed_ = false;
  bool meddled_ = false;  // frames came whose sense the model does not know
  bool origin_frame_ = false;
  size_t proofs_ = 0;
  std::set<uint8_t> contexts_, proved_, named_, misdirected_;
};

}  // namespace
}  // namespace signet::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  signet::wire::Reader program({data, size});
  uint8_t http = 0;
  if (!program.ReadU8(http)) return 0;
  signet::fuzz::Run run(http % 2 == 0 ? SIGNET_HTTP2 : SIGNET_HTTP3);
  signet::fuzz::Execute(run, program);
  return 0;
}
