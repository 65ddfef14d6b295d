// Input: a byte that chooses the end, then what arrives on a connection, cut into pieces: each has
// a two-byte length. nghttp2 and signet/nghttp2.h on the one end; no TLS.
#include <signet/nghttp2.h>

#include "ipc/wire/reader.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fake_server_certs.h"
#include "tests/fuzz/fake_tls.h"
#include "tests/support/nghttp2_callbacks.h"

namespace signet::fuzz {
namespace {

class End {
 public:
  explicit End(bool client) {
    if (client) {
      signet_session_config config{};
      config.size = sizeof config;
      config.tls = FakeTls();
      config.http = SIGNET_HTTP2;
      config.origin = "https://example.com:443";
      TakeServerCerts(config);
      SIGNET_CHECK(signet_session_new(&config, &session_) == SIGNET_OK);
      signet_nghttp2_init_client(&adapter_, session_);
      // Nobody answers, so that answers are due at once.
      SIGNET_CHECK(signet_session_agent_gone(session_, "gone") == SIGNET_OK);
    } else {
      signet_requester_config config{};
      config.size = sizeof config;
      config.tls = FakeTls();
      config.http = SIGNET_HTTP2;
      SIGNET_CHECK(signet_requester_new(&config, &requester_) == SIGNET_OK);
      signet_nghttp2_init_server(&adapter_, requester_);
    }
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_option* option = nullptr;
    SIGNET_CHECK(nghttp2_session_callbacks_new(&callbacks) == 0 &&
                 nghttp2_option_new(&option) == 0);
    test::HandOverToAdapter<Adapter>(callbacks);
    signet_nghttp2_set_option(&adapter_, option);
    SIGNET_CHECK((client ? nghttp2_session_client_new2(&h2_, callbacks, this, option)
                         : nghttp2_session_server_new2(&h2_, callbacks, this, option)) == 0);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_settings_entry settings[3] = {{NGHTTP2_SETTINGS_MAX_FRAME_SIZE, 65536}, {}, {}};
    const size_t ours = signet_nghttp2_settings(&adapter_, &settings[1], 2);
    SIGNET_CHECK(nghttp2_submit_settings(h2_, NGHTTP2_FLAG_NONE, settings, 1 + ours) == 0);
  }
  ~End() {
    nghttp2_session_del(h2_);
    signet_nghttp2_free(&adapter_);
    signet_session_free(session_);
    signet_requester_free(requester_);
  }
  End(const End&) = delete;
  End& operator=(const End&) = delete;

  bool Receive(wire::BytesView bytes) {
    const ssize_t used = nghttp2_session_mem_recv(h2_, bytes.data(), bytes.size());
    SIGNET_CHECK(used == static_cast<ssize_t>(bytes.size()) || used < 0);
    if (used >= 0) Ask();
    return used >= 0 && Send();
  }
  bool Send() {
    if (signet_nghttp2_submit(&adapter_, h2_) != 0) return false;
    for (;;) {
      const uint8_t* data = nullptr;
      const ssize_t size = signet_nghttp2_mem_send(&adapter_, h2_, &data);
      if (size <= 0) return size == 0;
      sum_ = data[0] + data[size - 1];  // all of it can be read
    }
  }
  // Whatever came, what our rules call an error has ended the connection with GOAWAY.
  void Finish() {
    signet_connection_error error;
    const bool broken = session_ != nullptr
                            ? signet_session_error(session_, &error) == SIGNET_OK
                            : signet_requester_error(requester_, &error) == SIGNET_OK;
    if (broken) SIGNET_CHECK(!nghttp2_session_want_read(h2_));
    if (session_ != nullptr) SIGNET_CHECK(signet_session_outstanding(session_) == 0);
  }

 private:
  void Ask() {
    if (requester_ == nullptr || signet_requester_available(requester_) == 0) return;
    signet_request anything{};
    anything.size = sizeof anything;
    signet_requester_request(requester_, &anything, 1, nullptr);
  }

  static signet_nghttp2* Adapter(void* user) { return &static_cast<End*>(user)->adapter_; }

  signet_nghttp2 adapter_;
  signet_session* session_ = nullptr;
  signet_requester* requester_ = nullptr;
  nghttp2_session* h2_ = nullptr;
  volatile unsigned sum_ = 0;
};

}  // namespace
}  // namespace signet::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  signet::wire::Reader program({data, size});
  uint8_t end = 0;
  signet::wire::BytesView piece;
  if (!program.ReadU8(end)) return 0;
  signet::fuzz::End connection(end % 2 == 0);
  bool open = connection.Send();
  while (open && program.ReadVector16(piece)) open = connection.Receive(piece);
  if (open) connection.Finish();
  return 0;
}
