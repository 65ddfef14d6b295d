#include "tests/bench/libsignet_client.h"

#include <openssl/rand.h>
#include <signet/openssl.h>

#include <stdexcept>
#include <utility>

#include "ipc/wire/authenticator_requests.h"
#include "ipc/wire/certificate_request.h"

namespace signet::bench {
namespace {

void Check(signet_status status, const char* what) {
  if (status != SIGNET_OK) {
    throw std::runtime_error(std::string(what) + ": " + signet_status_string(status));
  }
}

std::string RequestsFrame() {
  const std::string message = CertificateRequestMessage();
  const wire::Bytes payload =
      wire::BuildAuthenticatorRequests({wire::Bytes(message.begin(), message.end())}).value();
  return std::string(payload.begin(), payload.end());
}

// What happens in a callback is not the library's.
class OutsideLibrary {
 public:
  OutsideLibrary() { inside_libsignet = false; }
  ~OutsideLibrary() { inside_libsignet = true; }
};

}  // namespace

thread_local bool inside_libsignet = false;

std::string CertificateRequestMessage() {
  wire::CertificateRequest request;
  request.context.assign(16, 0x5a);
  request.signature_algorithms = {wire::SignatureScheme::kEcdsaSecp256r1Sha256};
  const wire::Bytes message = wire::BuildCertificateRequest(request).value();
  return std::string(message.begin(), message.end());
}

template <typename Call>
auto LibsignetClient::InLibrary(const Call& call) {
  const Clock::time_point start = Clock::now();
  inside_libsignet = true;
  auto result = call();
  inside_libsignet = false;
  time_in_library_ += Clock::now() - start;
  return result;
}

LibsignetClient::LibsignetClient(std::string origin)
    : origin_(std::move(origin)), frame_(RequestsFrame()) {
  Check(signet_openssl_tls(tls_pair_.client(), &tls_), "TLS");
  tls_.user = this;
  tls_.export_keying_material = Export;
  tls_.digest = Digest;
  tls_.hmac = Hmac;
  signet_code_points_h2(&code_points_);
  RAND_bytes(reinterpret_cast<unsigned char*>(&connection_), sizeof connection_);
}

int LibsignetClient::Export(void* user, const char* label, uint8_t* out, size_t size) {
  const OutsideLibrary outside;
  const auto* self = static_cast<LibsignetClient*>(user);
  if (signet_openssl_export(self->tls_pair_.client(), label, out, size) != 1) return 0;
  for (size_t i = 0; i < sizeof self->connection_; ++i) {
    out[i] ^= static_cast<uint8_t>(self->connection_ >> 8 * i);
  }
  return 1;
}

int LibsignetClient::Digest(void*, signet_hash hash, const signet_bytes* parts, size_t count,
                            uint8_t* out) {
  const OutsideLibrary outside;
  return signet_openssl_digest(nullptr, hash, parts, count, out);
}

int LibsignetClient::Hmac(void*, signet_hash hash, signet_bytes key, signet_bytes data,
                          uint8_t* out) {
  const OutsideLibrary outside;
  return signet_openssl_hmac(nullptr, hash, key, data, out);
}

SessionPtr LibsignetClient::NewSession() {
  ++connection_;
  signet_session_config config{};
  config.size = sizeof config;
  config.tls = tls_;
  config.http = SIGNET_HTTP2;
  config.origin = origin_.c_str();
  signet_session* session = nullptr;
  Check(InLibrary([&] {
          signet_status status = signet_session_new(&config, &session);
          if (status != SIGNET_OK) return status;
          status = signet_session_peer_setting(session, code_points_.client_cert_auth, 1);
          return status != SIGNET_OK ? status : signet_session_peer_settings_done(session);
        }),
        "session");
  return SessionPtr(session);
}

void LibsignetClient::Ask(signet_session* session) {
  Check(InLibrary([&] {
          return signet_session_receive_frame(session, 0, code_points_.authenticator_requests,
                                              reinterpret_cast<const uint8_t*>(frame_.data()),
                                              frame_.size(), 0);
        }),
        "AUTHENTICATOR_REQUESTS");
}

void LibsignetClient::TakeFrame(signet_session* session) {
  signet_frame frame;
  Check(InLibrary([&] { return signet_session_next_frame(session, &frame); }), "CERTIFICATE");
  signet_event event;
  while (InLibrary([&] { return signet_session_next_event(session, &event); }) == SIGNET_OK) {
    if (event.type == SIGNET_EVENT_DECLINED) throw std::runtime_error(event.detail);
  }
}

void LibsignetClient::WriteTo(BlockingSocket& socket, signet_session* session) {
  for (;;) {
    const signet_bytes output = InLibrary([&] { return signet_session_agent_output(session); });
    if (output.size == 0) return;
    socket.Write({reinterpret_cast<const char*>(output.data), output.size});
    Check(InLibrary([&] { return signet_session_agent_sent(session, output.size); }), "sent");
  }
}

void LibsignetClient::ReadFrom(BlockingSocket& socket, signet_session* session) {
  const std::string_view bytes = socket.ReadSome();
  Check(InLibrary([&] {
          return signet_session_agent_input(session, reinterpret_cast<const uint8_t*>(bytes.data()),
                                            bytes.size());
        }),
        "answer of the agent");
}

void LibsignetClient::Authenticate(BlockingSocket& socket) {
  const SessionPtr session = NewSession();
  Ask(session.get());
  WriteTo(socket, session.get());
  while (signet_session_deadline(session.get()) != SIGNET_NO_DEADLINE) {
    ReadFrom(socket, session.get());
  }
  TakeFrame(session.get());
}

}  // namespace signet::bench
