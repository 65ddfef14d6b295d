// Input: a program for the control streams of one HTTP/3 connection, of a client or a server; see
// Step(). Each end exists twice: one takes what arrives as it comes, the other byte by byte, and
// both must end up the same.
#include <signet/http3.h>

#include <algorithm>
#include <cstring>

#include "ipc/wire/reader.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fake_server_certs.h"
#include "tests/fuzz/fake_tls.h"
#include "tests/fuzz/program.h"

namespace signet::fuzz {
namespace {

using wire::Bytes;
using wire::BytesView;

class End {
 public:
  explicit End(bool client) {
    signet_http3* http3 = nullptr;
    if (client) {
      signet_session_config config{};
      config.size = sizeof config;
      config.tls = FakeTls();
      config.http = SIGNET_HTTP3;
      config.origin = "https://example.com:443";
      TakeServerCerts(config);
      session_ = NewSession(config);
      signet_session_agent_gone(session_.get(), "");
      SIGNET_CHECK(signet_http3_new_client(session_.get(), &http3) == SIGNET_OK);
    } else {
      signet_requester_config config{};
      config.size = sizeof config;
      config.tls = FakeTls();
      config.http = SIGNET_HTTP3;
      requester_ = NewRequester(config);
      SIGNET_CHECK(signet_http3_new_server(requester_.get(), &http3) == SIGNET_OK);
    }
    http3_.reset(http3);
  }

  void Write(BytesView bytes) {
    if (refused_) return;
    const signet_status status = signet_http3_write(http3_.get(), bytes.data(), bytes.size());
    SIGNET_CHECK(status == SIGNET_OK || status == SIGNET_ERROR_ARGUMENT);
    refused_ = status != SIGNET_OK;
    if (!refused_) written_ += bytes.size();
  }
  // False when there is nothing.
  bool Send(size_t most) {
    const signet_bytes next = signet_http3_output(http3_.get());
    const size_t count = std::min(next.size, most);
    SIGNET_CHECK(signet_http3_sent(http3_.get(), next.size + 1) == SIGNET_ERROR_ARGUMENT);
    SIGNET_CHECK(signet_http3_sent(http3_.get(), count) == SIGNET_OK);
    sent_ += count;
    return count > 0;
  }
  void Acknowledge(size_t most) {
    uint64_t of_stack = 0;
    const size_t count = std::min(sent_ - acknowledged_, most);
    SIGNET_CHECK(signet_http3_acknowledged(http3_.get(), sent_ - acknowledged_ + 1, &of_stack) ==
                 SIGNET_ERROR_ARGUMENT);
    SIGNET_CHECK(signet_http3_acknowledged(http3_.get(), count, &of_stack) == SIGNET_OK);
    acknowledged_ += count;
    of_stack_ += of_stack;
    SIGNET_CHECK(of_stack_ <= written_);
  }
  void Receive(uint64_t stream, BytesView bytes) {
    const signet_status status =
        signet_http3_receive(http3_.get(), stream, bytes.data(), bytes.size(), 0);
    SIGNET_CHECK(status == SIGNET_OK || status == SIGNET_ERROR_STATE ||
                 status == SIGNET_ERROR_CONNECTION);
    SIGNET_CHECK((status == SIGNET_OK) == (ErrorCode() == 0));
  }
  void Close(uint64_t stream) { signet_http3_stream_closed(http3_.get(), stream); }
  void Ask() {
    signet_request anything{};
    anything.size = sizeof anything;
    if (requester_) signet_requester_request(requester_.get(), &anything, 1, nullptr);
  }
  void Finish() {
    while (Send(SIZE_MAX)) {
    }
    Acknowledge(SIZE_MAX);
    // What is not acknowledged is a head that is not whole.
    SIGNET_CHECK(refused_ || of_stack_ == written_ || sent_ == 0);
  }

  uint64_t ErrorCode() const {
    signet_connection_error error{};
    return signet_http3_error(http3_.get(), &error) == SIGNET_OK ? error.code : 0;
  }
  size_t Outstanding() const { return signet_session_outstanding(session_.get()); }
  bool SettingsReceived() const { return signet_http3_peer_settings_received(http3_.get()) != 0; }

 private:
  SessionPtr session_;
  RequesterPtr requester_;
  Http3Ptr http3_;
  bool refused_ = false;
  size_t written_ = 0, sent_ = 0, acknowledged_ = 0, of_stack_ = 0;
};

class Run {
 public:
  explicit Run(bool client) : whole_(client), split_(client) {}

  // False when the program has ended.
  bool Step(wire::Reader& program) {
    static constexpr uint8_t kHead[] = {0x00, 0x04, 0x05, 0x06, 0x80, 0x00, 0x40, 0x00};
    uint8_t operation, small = 0;
    BytesView bytes;
    if (!program.ReadU8(operation)) return false;
    switch (operation % 7) {
      case 0:
        Both([](End& end) { end.Write(kHead); });
        break;
      case 1:
        if (!program.ReadVector8(bytes)) return false;
        Both([&](End& end) { end.Write(bytes); });
        break;
      case 2:
        if (!program.ReadU8(small)) return false;
        Both([&](End& end) { end.Send(small); });
        break;
      case 3:
        if (!program.ReadU8(small)) return false;
        Both([&](End& end) { end.Acknowledge(small); });
        break;
      case 4:
        if (!program.ReadU8(small) || !program.ReadVector16(bytes)) return false;
        Receive(small % 16, bytes);
        break;
      case 5:
        Both([](End& end) { end.Ask(); });
        break;
      case 6:
        if (!program.ReadU8(small)) return false;
        Both([&](End& end) { end.Close(small % 16); });
        break;
    }
    return true;
  }
  void Finish() {
    Both([](End& end) { end.Finish(); });
  }

 private:
  template <typename Do>
  void Both(Do&& act) {
    act(whole_);
    act(split_);
  }
  void Receive(uint64_t stream, BytesView bytes) {
    whole_.Receive(stream, bytes);
    for (size_t i = 0; i < bytes.size(); ++i) split_.Receive(stream, bytes.subspan(i, 1));
    SIGNET_CHECK(whole_.ErrorCode() == split_.ErrorCode());
    SIGNET_CHECK(whole_.Outstanding() == split_.Outstanding());
    SIGNET_CHECK(whole_.SettingsReceived() == split_.SettingsReceived());
  }

  End whole_, split_;
};

}  // namespace
}  // namespace signet::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  signet::wire::Reader program({data, size});
  uint8_t client = 0;
  if (!program.ReadU8(client)) return 0;
  signet::fuzz::Run run(client % 2 == 1);
  signet::fuzz::Execute(run, program);
  return 0;
}
