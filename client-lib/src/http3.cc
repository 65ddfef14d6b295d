// The C ABI of http3.h over Http3Input and Http3Output: checks arguments, keeps exceptions in.
#include <signet/http3.h>

#include <memory>
#include <optional>
#include <vector>

#include "client-lib/src/abi.h"
#include "client-lib/src/http3_input.h"
#include "client-lib/src/http3_output.h"

namespace signet {
namespace {

class ClientEndpoint : public Http3Endpoint {
 public:
  explicit ClientEndpoint(signet_session* session) : session_(session) {}

  std::vector<signet_setting> settings() const override {
    std::vector<signet_setting> settings(signet_session_settings(session_, nullptr, 0));
    signet_session_settings(session_, settings.data(), settings.size());
    return settings;
  }
  signet_status PeerSetting(uint64_t id, uint64_t value) override {
    return signet_session_peer_setting(session_, id, value);
  }
  signet_status PeerSettingsDone() override { return signet_session_peer_settings_done(session_); }
  bool WantsFrame(uint64_t type) const override {
    return signet_session_wants_frame(session_, type);
  }
  signet_status ReceiveFrame(uint64_t stream, uint64_t type, wire::BytesView payload,
                             uint64_t now_ms) override {
    return signet_session_receive_frame(session_, stream, type, payload.data(), payload.size(),
                                        now_ms);
  }
  signet_status NextFrame(signet_frame* out) override {
    return signet_session_next_frame(session_, out);
  }
  signet_status Error(signet_connection_error* out) const override {
    return signet_session_error(session_, out);
  }

 private:
  signet_session* const session_;
};

class ServerEndpoint : public Http3Endpoint {
 public:
  explicit ServerEndpoint(signet_requester* requester) : requester_(requester) {}

  std::vector<signet_setting> settings() const override {
    std::vector<signet_setting> settings(signet_requester_settings(requester_, nullptr, 0));
    signet_requester_settings(requester_, settings.data(), settings.size());
    return settings;
  }
  signet_status PeerSetting(uint64_t id, uint64_t value) override {
    return signet_requester_peer_setting(requester_, id, value);
  }
  signet_status PeerSettingsDone() override { return SIGNET_OK; }
  bool WantsFrame(uint64_t type) const override {
    return signet_requester_wants_frame(requester_, type);
  }
  signet_status ReceiveFrame(uint64_t stream, uint64_t type, wire::BytesView payload,
                             uint64_t) override {
    return signet_requester_receive_frame(requester_, stream, type, payload.data(), payload.size());
  }
  signet_status NextFrame(signet_frame* out) override {
    return signet_requester_next_frame(requester_, out);
  }
  signet_status Error(signet_connection_error* out) const override {
    return signet_requester_error(requester_, out);
  }

 private:
  signet_requester* const requester_;
};

}  // namespace
}  // namespace signet

// Without an endpoint everything passes.
struct signet_http3 {
  explicit signet_http3(std::unique_ptr<signet::Http3Endpoint> with)
      : endpoint(std::move(with)),
        output(endpoint ? endpoint->settings() : std::vector<signet_setting>()) {
    if (endpoint) input.emplace(*endpoint);
  }
  void FailInternally(std::string_view what) {
    if (input) input->FailInternally(what);
  }

  const std::unique_ptr<signet::Http3Endpoint> endpoint;
  signet::Http3Output output;
  std::optional<signet::Http3Input> input;
};

namespace {

using signet::Guarded;
using signet::wire::BytesView;

bool IsBytes(const uint8_t* data, size_t size) { return data != nullptr || size == 0; }

}  // namespace

extern "C" {

signet_status signet_http3_new_client(signet_session* session, signet_http3** out) {
  if (out == nullptr) return SIGNET_ERROR_ARGUMENT;
  return Guarded([&] {
    *out = new signet_http3(session == nullptr ? nullptr
                                               : std::make_unique<signet::ClientEndpoint>(session));
    return SIGNET_OK;
  });
}

signet_status signet_http3_new_server(signet_requester* requester, signet_http3** out) {
  if (out == nullptr) return SIGNET_ERROR_ARGUMENT;
  return Guarded([&] {
    *out = new signet_http3(
        requester == nullptr ? nullptr : std::make_unique<signet::ServerEndpoint>(requester));
    return SIGNET_OK;
  });
}

void signet_http3_free(signet_http3* http3) { delete http3; }

signet_status signet_http3_write(signet_http3* http3, const uint8_t* data, size_t size) {
  if (http3 == nullptr || !IsBytes(data, size)) return SIGNET_ERROR_ARGUMENT;
  return Guarded(*http3, [&] {
    return http3->output.Write(BytesView(data, size)) ? SIGNET_OK : SIGNET_ERROR_ARGUMENT;
  });
}

signet_bytes signet_http3_output(signet_http3* http3) {
  if (http3 == nullptr) return {};
  // A frame leaves the session only when those before it have left this.
  if (http3->endpoint && http3->output.unsent().empty() && http3->output.takes_frame()) {
    Guarded(*http3, [&] {
      signet_frame frame;
      if (http3->endpoint->NextFrame(&frame) == SIGNET_OK) http3->output.AppendFrame(frame);
      return SIGNET_OK;
    });
  }
  return signet::ToAbi(http3->output.unsent());
}

signet_status signet_http3_sent(signet_http3* http3, size_t count) {
  if (http3 == nullptr) return SIGNET_ERROR_ARGUMENT;
  return http3->output.Sent(count) ? SIGNET_OK : SIGNET_ERROR_ARGUMENT;
}

signet_status signet_http3_acknowledged(signet_http3* http3, uint64_t count, uint64_t* of_stack) {
  if (http3 == nullptr || of_stack == nullptr) return SIGNET_ERROR_ARGUMENT;
  const std::optional<uint64_t> passed = http3->output.Acknowledged(count);
  if (!passed) return SIGNET_ERROR_ARGUMENT;
  *of_stack = *passed;
  return SIGNET_OK;
}

signet_status signet_http3_receive(signet_http3* http3, uint64_t stream, const uint8_t* data,
                                   size_t size, uint64_t now_ms) {
  if (http3 == nullptr || !IsBytes(data, size)) return SIGNET_ERROR_ARGUMENT;
  if (!http3->input) return SIGNET_OK;
  return Guarded(*http3,
                 [&] { return http3->input->Receive(stream, BytesView(data, size), now_ms); });
}

void signet_http3_stream_closed(signet_http3* http3, uint64_t stream) {
  if (http3 != nullptr && http3->input) http3->input->StreamClosed(stream);
}

int signet_http3_peer_settings_received(const signet_http3* http3) {
  return http3 != nullptr && http3->input && http3->input->settings_received();
}

signet_status signet_http3_error(const signet_http3* http3, signet_connection_error* out) {
  if (http3 == nullptr || out == nullptr) return SIGNET_ERROR_ARGUMENT;
  if (!http3->input) return SIGNET_ERROR_STATE;
  const signet_status status = http3->input->failure().Get(out);
  return status == SIGNET_OK ? status : http3->endpoint->Error(out);
}

}  // extern "C"
