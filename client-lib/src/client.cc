// The C ABI of client.h over Session and AgentConnection: checks arguments, keeps exceptions in.
#include <signet/client.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "client-lib/src/abi.h"
#include "client-lib/src/agent_connection.h"
#include "client-lib/src/code_points.h"
#include "client-lib/src/session.h"
#include "ipc/wire/socket_path.h"

struct signet_session {
  signet::Session session;
};

struct signet_agent {
  signet::AgentConnection connection;
};

namespace {

using signet::Guarded;
using signet::wire::BytesView;

bool IsBytes(const uint8_t* data, size_t size) { return data != nullptr || size == 0; }

// `stream` nullptr: the caller gave something that is none.
signet_status NewAgent(signet_session* session, std::unique_ptr<signet::AgentStream> stream,
                       signet_agent** out) {
  if (!stream) return SIGNET_ERROR_ARGUMENT;
  *out = new signet_agent{signet::AgentConnection(session->session, std::move(stream))};
  session->session.AgentAvailable();
  return SIGNET_OK;
}

}  // namespace

extern "C" {

signet_status signet_session_new(const signet_session_config* given, signet_session** out) {
  using Use = signet::TlsConnection::Use;
  signet_session_config config;
  std::optional<signet::wire::ClientHello> client_hello;
  if (!signet::ReadGrown(given, offsetof(signet_session_config, client_hello), config) ||
      out == nullptr || config.origin == nullptr) {
    return SIGNET_ERROR_ARGUMENT;
  }
  const auto code_points = signet::ChooseCodePoints(config.http, config.code_points);
  if (!code_points) return SIGNET_ERROR_ARGUMENT;
  return Guarded([&] {
    if (!signet::ReadClientHello(config.client_hello, client_hello) ||
        !signet::TlsConnection::IsUsable(config.tls, client_hello ? Use::kValidate : Use::kProve) ||
        (client_hello &&
         (config.verify_server_chain == nullptr || config.covers_host == nullptr))) {
      return SIGNET_ERROR_ARGUMENT;
    }
    *out = new signet_session{signet::Session(config, *code_points, std::move(client_hello))};
    return SIGNET_OK;
  });
}

void signet_session_free(signet_session* session) { delete session; }

size_t signet_session_settings(const signet_session* session, signet_setting* out,
                               size_t capacity) {
  if (session == nullptr) return 0;
  return session->session.Settings(out, out == nullptr ? 0 : capacity);
}

signet_status signet_session_peer_setting(signet_session* session, uint64_t id, uint64_t value) {
  if (session == nullptr) return SIGNET_ERROR_ARGUMENT;
  return session->session.PeerSetting(id, value);
}

signet_status signet_session_peer_max_frame_size(signet_session* session, uint32_t size) {
  if (session == nullptr) return SIGNET_ERROR_ARGUMENT;
  return session->session.PeerMaxFrameSize(size);
}

signet_status signet_session_peer_settings_done(signet_session* session) {
  if (session == nullptr) return SIGNET_ERROR_ARGUMENT;
  return session->session.PeerSettingsDone();
}

int signet_session_negotiated(const signet_session* session) {
  return session != nullptr && session->session.negotiated();
}

int signet_session_server_certs_negotiated(const signet_session* session) {
  return session != nullptr && session->session.server_certs_negotiated();
}

int signet_session_wants_frame(const signet_session* session, uint64_t type) {
  return session != nullptr && session->session.WantsFrame(type);
}

signet_status signet_session_receive_frame(signet_session* session, uint64_t stream, uint64_t type,
                                           const uint8_t* payload, size_t size, uint64_t now_ms) {
  if (session == nullptr || !IsBytes(payload, size)) return SIGNET_ERROR_ARGUMENT;
  return Guarded(session->session, [&] {
    return session->session.ReceiveFrame(stream, type, BytesView(payload, size), now_ms);
  });
}

signet_status signet_session_next_frame(signet_session* session, signet_frame* out) {
  if (session == nullptr || out == nullptr) return SIGNET_ERROR_ARGUMENT;
  return Guarded(session->session, [&] { return session->session.NextFrame(out); });
}

signet_status signet_session_error(const signet_session* session, signet_connection_error* out) {
  if (session == nullptr) return SIGNET_ERROR_ARGUMENT;
  return session->session.failure().Get(out);
}

signet_authority signet_session_is_authoritative(const signet_session* session,
                                                 const char* origin) {
  signet_authority authority = SIGNET_AUTHORITY_NO;
  if (session == nullptr || origin == nullptr) return authority;
  Guarded([&] {
    authority = session->session.AuthorityOver(origin);
    return SIGNET_OK;
  });
  return authority;
}

signet_status signet_session_misdirected(signet_session* session, const char* origin) {
  if (session == nullptr || origin == nullptr) return SIGNET_ERROR_ARGUMENT;
  return Guarded(session->session, [&] { return session->session.Misdirected(origin); });
}

uint64_t signet_session_deadline(const signet_session* session) {
  return session == nullptr ? SIGNET_NO_DEADLINE : session->session.deadline();
}

signet_status signet_session_advance(signet_session* session, uint64_t now_ms) {
  if (session == nullptr) return SIGNET_ERROR_ARGUMENT;
  return Guarded(session->session, [&] { return session->session.Advance(now_ms); });
}

signet_status signet_session_next_event(signet_session* session, signet_event* out) {
  if (session == nullptr || out == nullptr) return SIGNET_ERROR_ARGUMENT;
  return session->session.NextEvent(out);
}

size_t signet_session_outstanding(const signet_session* session) {
  return session == nullptr ? 0 : session->session.outstanding();
}

signet_bytes signet_session_agent_output(const signet_session* session) {
  return session == nullptr ? signet_bytes{} : signet::ToAbi(session->session.agent_output());
}

signet_status signet_session_agent_sent(signet_session* session, size_t count) {
  if (session == nullptr) return SIGNET_ERROR_ARGUMENT;
  return session->session.AgentSent(count);
}

signet_status signet_session_agent_input(signet_session* session, const uint8_t* data,
                                         size_t size) {
  if (session == nullptr || !IsBytes(data, size)) return SIGNET_ERROR_ARGUMENT;
  return Guarded(session->session,
                 [&] { return session->session.AgentInput(BytesView(data, size)); });
}

signet_status signet_session_agent_gone(signet_session* session, const char* detail) {
  if (session == nullptr) return SIGNET_ERROR_ARGUMENT;
  return Guarded(session->session, [&] {
    return session->session.AgentGone(detail == nullptr ? "there is no agent" : detail);
  });
}

signet_status signet_session_agent_available(signet_session* session) {
  if (session == nullptr) return SIGNET_ERROR_ARGUMENT;
  return session->session.AgentAvailable();
}

signet_status signet_agent_new(signet_session* session, const char* path, signet_agent** out) {
  if (session == nullptr || out == nullptr) return SIGNET_ERROR_ARGUMENT;
  return Guarded([&] {
    std::string resolved = signet::wire::AgentSocketPath(path == nullptr ? "" : path);
    *out = new signet_agent{signet::AgentConnection(session->session, std::move(resolved))};
    session->session.AgentAvailable();
    return SIGNET_OK;
  });
}

signet_status signet_agent_from_fd(signet_session* session, int fd, signet_agent** out) {
  if (session == nullptr || out == nullptr) return SIGNET_ERROR_ARGUMENT;
  return Guarded([&] { return NewAgent(session, signet::AdoptSocket(fd), out); });
}

signet_status signet_agent_from_callbacks(signet_session* session, const signet_agent_io* io,
                                          signet_agent** out) {
  if (session == nullptr || out == nullptr || !signet::IsWhole(io) || io->read == nullptr ||
      io->write == nullptr) {
    return SIGNET_ERROR_ARGUMENT;
  }
  return Guarded([&] { return NewAgent(session, signet::UseCallbacks(*io), out); });
}

void signet_agent_free(signet_agent* agent) {
  if (agent == nullptr) return;
  Guarded(agent->connection, [&] {
    agent->connection.Close();
    return SIGNET_OK;
  });
  delete agent;
}

int signet_agent_fd(const signet_agent* agent) {
  return agent == nullptr ? -1 : agent->connection.fd();
}

short signet_agent_events(const signet_agent* agent) {
  return agent == nullptr ? short{0} : agent->connection.events();
}

signet_status signet_agent_process(signet_agent* agent) {
  if (agent == nullptr) return SIGNET_ERROR_ARGUMENT;
  return Guarded(agent->connection, [&] { return agent->connection.Process(); });
}

}  // extern "C"
