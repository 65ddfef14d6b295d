// A client's certificate as the gateway tells of it.
#ifndef SIGNET_CLIENT_LIB_TOOLS_CLIENT_CERTIFICATE_H_
#define SIGNET_CLIENT_LIB_TOOLS_CLIENT_CERTIFICATE_H_

#include <signet/connection.h>

#include <optional>
#include <string>

namespace signet::tools {

struct ClientCertificate {
  std::string subject;  // RFC 2253, UTF-8
  std::string issuer;   // RFC 2253, UTF-8
  std::string serial;   // upper-case hex, as `openssl x509 -serial` prints it
  std::string sha256;   // of the DER form, lower-case hex
};

// Nothing when `der` is not exactly one certificate.
std::optional<ClientCertificate> ParseClientCertificate(signet_bytes der);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_CLIENT_CERTIFICATE_H_
