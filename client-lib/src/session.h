// The client side of one connection: what client.h promises, in C++. Throws std::bad_alloc and
// TlsError; client.cc keeps them inside.
#ifndef SIGNET_CLIENT_LIB_SRC_SESSION_H_
#define SIGNET_CLIENT_LIB_SRC_SESSION_H_

#include <signet/client.h>

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "client-lib/src/agent_link.h"
#include "client-lib/src/connection_failure.h"
#include "client-lib/src/server_proofs.h"
#include "client-lib/src/tls_connection.h"
#include "ipc/wire/bytes.h"
#include "ipc/wire/certificate_request.h"
#include "ipc/wire/client_hello.h"
#include "ipc/wire/profile.h"

namespace signet {

// Requests of one connection that are taken to the agent; later ones are declined unseen. Bounds
// what the memory of used contexts can grow to.
inline constexpr uint64_t kMaxRequestsPerConnection = 1024;
// A whole AUTHENTICATOR_REQUESTS frame. HTTP/2 stacks stop far below; HTTP/3 has no limit.
inline constexpr size_t kMaxRequestsPayload = 256 * 1024;
// A whole SERVER_CERTIFICATE frame; the same.
inline constexpr size_t kMaxServerCertificate = 256 * 1024;
// Events that nobody fetches; the oldest go first.
inline constexpr size_t kMaxEvents = 4096;

class Session {
 public:
  // `config` was checked; `client_hello` is what it has, parsed.
  Session(const signet_session_config& config, const wire::CodePoints& code_points,
          std::optional<wire::ClientHello> client_hello);

  // Writes up to `capacity` and returns how many there are.
  size_t Settings(signet_setting* out, size_t capacity) const;
  signet_status PeerSetting(uint64_t id, uint64_t value);
  signet_status PeerMaxFrameSize(uint32_t size);
  signet_status PeerSettingsDone();
  bool negotiated() const { return peer_supports_ && peer_settings_done_; }
  bool server_certs_negotiated() const { return peer_proves_ && peer_settings_done_; }

  bool WantsFrame(uint64_t type) const;
  signet_status ReceiveFrame(uint64_t stream, uint64_t type, wire::BytesView payload,
                             uint64_t now_ms);
  signet_status NextFrame(signet_frame* out);
  signet_authority AuthorityOver(std::string_view origin) const;
  signet_status Misdirected(std::string_view origin);
  const ConnectionFailure& failure() const { return failure_; }
  // Never throws: what is left to do is dropped.
  void FailInternally(std::string_view what) { Fail(Fault::kInternal, what); }

  uint64_t deadline() const;
  signet_status Advance(uint64_t now_ms);

  signet_status NextEvent(signet_event* out);
  size_t outstanding() const { return pending_.size(); }

  wire::BytesView agent_output() const { return agent_.output(); }
  signet_status AgentSent(size_t count);
  signet_status AgentInput(wire::BytesView bytes);
  signet_status AgentGone(std::string_view detail);
  signet_status AgentAvailable();
  // The stream to the agent ended while nothing sent on it was waited for, so that a new stream may
  // take its place unnoticed; false when something was.
  bool RestartAgent();
  // Some request has no answer yet, and only the agent can give it.
  bool WaitsForAgent() const;

 private:
  // `authenticator` is empty when the request is declined.
  struct Outcome {
    static Outcome Declined(const char* reason, std::string detail);

    wire::Bytes authenticator;
    std::string identity;
    std::string subject;
    const char* kind = nullptr;
    const char* reason = nullptr;
    std::string detail;
  };

  struct Pending {
    uint64_t id;
    wire::CertificateRequest request;
    uint64_t deadline;
    std::optional<Outcome> outcome;
  };

  struct Event {
    signet_event_type type;
    uint64_t request;
    Outcome outcome;
  };

  signet_status Fail(Fault fault, std::string_view rule, std::string_view cause = {}) noexcept;
  const AuthenticatorKeys& Keys();
  signet_status ReceiveServerCertificate(uint64_t stream, wire::BytesView payload);
  signet_status ReceiveOrigins(uint64_t stream, wire::BytesView payload);
  signet_status AcceptRequests(std::vector<wire::CertificateRequest> requests, uint64_t now_ms);
  void AskAgent(Pending& pending);
  void Apply(AgentAnswer answer);
  Outcome Prove(const Pending& pending, AgentAnswer answer);
  void LoseAgent(std::string_view detail);
  void PushEvent(Event event);

  const TlsConnection tls_;
  const signet_http http_;
  const std::string origin_;
  const uint32_t limit_;
  const uint32_t deadline_ms_;
  const wire::CodePoints code_points_;

  ConnectionFailure failure_;
  bool peer_supports_ = false;
  bool peer_proves_ = false;  // SETTINGS_HTTP_SERVER_CERT_AUTH
  bool peer_settings_done_ = false;
  size_t peer_max_frame_size_;

  std::optional<AuthenticatorKeys> keys_;  // exported when the first request comes
  uint64_t requests_ = 0;
  std::set<wire::Bytes> used_contexts_;  // of requests, and of what the server proved
  bool identity_given_ = false;
  // Lists, since empty ones take nothing from the heap: most sessions are idle.
  std::list<Pending> pending_;  // in order of arrival
  wire::Bytes frame_;           // what NextFrame gave out

  std::unique_ptr<ServerProofs> server_proofs_;  // nullptr: we take none
  const bool heeds_origins_;

  AgentLink agent_;
  bool agent_available_ = true;
  std::string agent_detail_;  // why it is not

  std::list<Event> events_;
  Event event_{};  // what NextEvent gave out
};

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_SESSION_H_
