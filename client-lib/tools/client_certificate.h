// A client's certificate as the gateway tells of it.
#ifndef SIGNET_CLIENT_LIB_TOOLS_CLIENT_CERTIFICATE_H_
#define SIGNET_CLIENT_LIB_TOOLS_CLIENT_CERTIFICATE_H_

#include <signet/connection.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace signet::tools {

struct ClientCertificate {
  std::string subject;                      // RFC 2253, UTF-8
  std::string issuer;                       // RFC 2253, UTF-8
  std::string serial;                       // upper-case hex, as `openssl x509 -serial` prints it
  std::string sha256;                       // of the DER form, lower-case hex
  std::vector<std::vector<uint8_t>> chain;  // DER, leaf first, as the client sent it
};

// `chain` is DER, leaf first, at least one. Nothing when the leaf is not exactly one certificate.
std::optional<ClientCertificate> ParseClientCertificate(std::span<const signet_bytes> chain);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_CLIENT_CERTIFICATE_H_
