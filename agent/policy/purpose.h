// What a signature is for. Each purpose has its own parser and its own rules: no rule covers two.
#ifndef SIGNET_AGENT_POLICY_PURPOSE_H_
#define SIGNET_AGENT_POLICY_PURPOSE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "agent/policy/origin.h"

namespace signet::agent {

enum class Purpose : uint8_t {
  kExportedAuthenticator,  // built by the agent, for an origin
  kTlsClient,              // CertificateVerify of a client within a TLS 1.3 handshake
  kCsr,                    // a PKCS#10 request of the key itself
  kServer,                 // CertificateVerify of a server's exported authenticator (RFC 9261)
};
std::string_view Name(Purpose purpose);  // "exported-authenticator", "tls-client", "csr", "server"

// What programs build themselves, for no origin that the agent knows.
inline constexpr Purpose kWithoutOrigin[] = {Purpose::kTlsClient, Purpose::kCsr, Purpose::kServer};

// Must a rule with this text as its purpose say for which origins? True for a purpose that is none.
bool NeedsOrigin(std::string_view purpose);

// What an identity is to be used for. A value.
struct Use {
  // Implicit: an origin is what an exported authenticator is for.
  Use(Origin at) : origin(std::move(at)) {}
  explicit Use(Purpose other) : purpose(other) {}

  bool has_origin() const { return purpose == Purpose::kExportedAuthenticator; }
  // "at https://host:443", "for tls-client".
  std::string ToString() const;

  Purpose purpose = Purpose::kExportedAuthenticator;
  Origin origin{};  // only an exported authenticator has one
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_POLICY_PURPOSE_H_
