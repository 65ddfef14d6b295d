// Which paths need which client certificates: the --require options of the gateway.
#ifndef SIGNET_CLIENT_LIB_TOOLS_REQUIREMENTS_H_
#define SIGNET_CLIENT_LIB_TOOLS_REQUIREMENTS_H_

#include <signet/connection.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client-lib/tools/tls_stream.h"

namespace signet::tools {

// The certificates of one PEM file: each is a trust anchor, and its name is asked for.
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

class Requirements {
 public:
  // Each option is PATH=CA.pem[,CA.pem...]. Nothing, with a reason in `error`, when one can't be
  // used.
  static std::optional<Requirements> Parse(const std::vector<std::string>& options,
                                           std::string& error);

  // Each file once, whatever the number of paths that name it.
  const std::vector<CertificateAuthority>& authorities() const { return authorities_; }
  // For a path of NormalizePath(): indexes of authorities(), in the order of the option; empty when
  // the path needs none.
  const std::vector<size_t>& For(const std::string& path) const;

 private:
  bool Add(const std::string& option, std::string& error);
  std::optional<size_t> Authority(const std::string& file, std::string& error);

  std::vector<CertificateAuthority> authorities_;
  std::map<std::string, std::vector<size_t>> paths_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_REQUIREMENTS_H_
