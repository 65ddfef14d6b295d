// The names in a certificate by which tls_client_auth may know a client (RFC 8705 section 2.1.2).
// Pure; any thread.
#ifndef SIGNET_AGENT_OAUTH_SUBJECT_NAME_H_
#define SIGNET_AGENT_OAUTH_SUBJECT_NAME_H_

#include <string>
#include <string_view>
#include <vector>

#include "ipc/wire/bytes.h"

namespace signet::oauth {

enum class SubjectNameType { kDn, kDns, kUri, kIp, kEmail };

struct SubjectName {
  SubjectNameType type;
  std::string value;  // a DN as RFC 4514 writes it, an address as RFC 5952 and dotted decimal do

  friend bool operator==(const SubjectName&, const SubjectName&) = default;
};

// "tls_client_auth_san_dns"
std::string_view FieldOf(SubjectNameType type);

// All names of the certificate (DER), the subject first; none for what is no certificate.
std::vector<SubjectName> SubjectNamesOf(wire::BytesView certificate);

}  // namespace signet::oauth

#endif  // SIGNET_AGENT_OAUTH_SUBJECT_NAME_H_
