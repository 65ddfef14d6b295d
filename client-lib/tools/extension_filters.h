// Which extensions a client's certificate must have: the oid_filters of a request (RFC 8446 section
// 4.2.5). The client chooses by them, and the gateway holds the answer against them.
#ifndef SIGNET_CLIENT_LIB_TOOLS_EXTENSION_FILTERS_H_
#define SIGNET_CLIENT_LIB_TOOLS_EXTENSION_FILTERS_H_

#include <signet/server.h>

#include <cstdint>
#include <string>
#include <vector>

namespace signet::tools {

class ExtensionFilters {
 public:
  // All these usages ("digitalSignature", "nonRepudiation", ...). False with a reason in `error`
  // for an unknown name; so do the others.
  bool SetKeyUsage(const std::vector<std::string>& usages, std::string& error);
  // All these purposes: OpenSSL's names ("clientAuth") or dotted OIDs.
  bool SetExtendedKeyUsage(const std::vector<std::string>& purposes, std::string& error);
  // Any other extension: there at all when `value_hex` is empty, else with exactly this DER value.
  bool AddExtension(const std::string& oid, const std::string& value_hex, std::string& error);

  // For a request; valid as long as this object is not changed.
  std::vector<signet_oid_filter> ForRequest() const;
  // Whether the certificate (DER) satisfies all filters; if not, `why` says which one it fails.
  bool Match(signet_bytes certificate, std::string& why) const;

 private:
  struct Filter {
    int nid;  // NID_key_usage, NID_ext_key_usage, or NID_undef for any other
    std::string name;
    std::vector<uint8_t> oid;     // DER
    std::vector<uint8_t> values;  // DER
    uint32_t key_usage = 0;       // KU_*
    std::vector<std::string> purposes;
  };

  bool Add(Filter filter, std::string& error);

  std::vector<Filter> filters_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_EXTENSION_FILTERS_H_
