// How the backend learns who the client is: RFC 9440, and all identities as JSON.
#ifndef SIGNET_CLIENT_LIB_TOOLS_IDENTITY_FIELDS_H_
#define SIGNET_CLIENT_LIB_TOOLS_IDENTITY_FIELDS_H_

#include <string>
#include <vector>

#include "client-lib/tools/access_decision.h"
#include "client-lib/tools/client_certificate.h"
#include "client-lib/tools/http_fields.h"

namespace signet::tools {

// `Client-Cert: :BASE64:`, the leaf.
Field ClientCertField(const ClientCertificate& certificate);
// `Client-Cert-Chain: :BASE64:, :BASE64:`, what the client sent after the leaf, in its order. Not
// to be sent when there is nothing after the leaf.
Field ClientCertChainField(const ClientCertificate& certificate);

struct NamedIdentity {
  std::string certificate;  // CertificateKind::name
  const ClientCertificate* identity;
};
struct NamedRefusal {
  std::string certificate;
  Refusal refusal;
};
// `Signet-Identities: {"identities":[{"certificate","subject","issuer","serial","sha256"}],
// "missing":[{"certificate","error","detail"}]}`, ASCII only.
Field SignetIdentitiesField(const std::vector<NamedIdentity>& identities,
                            const std::vector<NamedRefusal>& missing);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_IDENTITY_FIELDS_H_
