// PKCS#10 certificate requests (RFC 2986) for keys that this process does not have: build what is
// to be signed, get it signed elsewhere, put the signature in. Private to agent/identity.
#ifndef SIGNET_AGENT_IDENTITY_CERTIFICATE_REQUEST_BUILDER_H_
#define SIGNET_AGENT_IDENTITY_CERTIFICATE_REQUEST_BUILDER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/identity/identity.h"
#include "agent/identity/openssl.h"
#include "ipc/wire/bytes.h"
#include "ipc/wire/signature_scheme.h"

namespace signet::agent {

class CertificateRequestBuilder {
 public:
  // `subject` in OpenSSL's slash form ("/O=Example/CN=laptop", a slash in a value as "\/"); `names`
  // as "DNS:x", "email:x", "URI:x", "IP:x". Asks for key usage digitalSignature and the extended
  // key usage of the identity's kind. kInvalidArgument names the part that is wrong.
  static absl::StatusOr<CertificateRequestBuilder> Make(const Identity& identity,
                                                        const std::string& subject,
                                                        const std::vector<std::string>& names);

  // The DER of CertificationRequestInfo: what the key signs.
  wire::Bytes ToBeSigned() const;

  // The request as PEM; kInternal if the signature is not the key's over ToBeSigned().
  absl::StatusOr<std::string> Finish(wire::SignatureScheme scheme, wire::BytesView signature);

 private:
  CertificateRequestBuilder() = default;
  absl::Status SetSubject(const std::string& subject);
  absl::Status SetExtensions(IdentityKind kind, const std::vector<std::string>& names);

  OpenSslPtr<X509_REQ> request_;
  OpenSslPtr<EVP_PKEY> public_key_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_IDENTITY_CERTIFICATE_REQUEST_BUILDER_H_
