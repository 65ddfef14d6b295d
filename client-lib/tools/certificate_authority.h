// Whom the gateway trusts to name clients: the certificates of one PEM file.
#ifndef SIGNET_CLIENT_LIB_TOOLS_CERTIFICATE_AUTHORITY_H_
#define SIGNET_CLIENT_LIB_TOOLS_CERTIFICATE_AUTHORITY_H_

#include <signet/connection.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client-lib/tools/tls_stream.h"

namespace signet::tools {

// Each certificate of the file is a trust anchor, and its name is asked for.
class CertificateAuthority {
 public:
  static std::optional<CertificateAuthority> Load(const std::string& file, std::string& error);

  const std::string& file() const { return file_; }  // as it was given
  // DER names for certificate_authorities of a request.
  const std::vector<signet_bytes>& names() const { return name_views_; }
  // Whether the chain (DER, leaf first) leads here and its leaf is good for TLS clients now; if
  // not, `why` says what is wrong with it.
  bool Trusts(const signet_bytes* chain, size_t count, std::string& why) const;

 private:
  void AddName(const X509_NAME* name);

  std::string file_;
  CertificateStore store_;
  std::vector<std::vector<uint8_t>> names_;  // what name_views_ point into
  std::vector<signet_bytes> name_views_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_CERTIFICATE_AUTHORITY_H_
