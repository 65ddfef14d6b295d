// ipc/agent.proto as libsignet speaks it on agent.sock, framed (ipc/wire/framing.h). With
// key_protocol.h the only one that knows nanopb.
#ifndef SIGNET_CLIENT_LIB_SRC_AGENT_PROTOCOL_H_
#define SIGNET_CLIENT_LIB_SRC_AGENT_PROTOCOL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ipc/wire/authenticator.h"
#include "ipc/wire/bytes.h"

namespace signet {

struct AuthenticateCall {
  uint64_t id;
  wire::PrfHash hash;
  wire::BytesView handshake_context;
  wire::BytesView request;
  std::string_view origin;
  uint32_t deadline_ms;
};

// The framed message; empty when it is above the limit of the framing.
wire::Bytes EncodeAuthenticate(const AuthenticateCall& call);
wire::Bytes EncodeCancel(uint64_t id);

// The agent's result of one call. Strings are cut at kMaxText and at a zero byte.
struct AgentAnswer {
  enum class Kind { kAuthenticator, kDeclined };

  uint64_t id = 0;
  Kind kind = Kind::kDeclined;
  // kAuthenticator; not looked into.
  wire::Bytes certificate;
  wire::Bytes certificate_verify;
  std::string identity;
  std::string subject;
  const char* identity_kind = nullptr;  // "user", "device"; nullptr for any other
  // kDeclined, which an error of the agent also is.
  const char* reason = nullptr;  // as in signet_event
  std::string detail;
};

inline constexpr size_t kMaxText = 1024;

// nullopt for bytes that are not an answer to an authenticate call.
std::optional<AgentAnswer> DecodeAnswer(wire::BytesView message);

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_AGENT_PROTOCOL_H_
