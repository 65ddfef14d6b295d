// Which identities satisfy a request (RFC 9261 section 5.2.1; RFC 8446 sections 4.2.3 to 4.2.5,
// 4.4.2.2, 4.4.2.3). Pure: no I/O, and no parsing where identities carry their facts.
#ifndef SIGNET_AGENT_IDENTITY_SELECTION_H_
#define SIGNET_AGENT_IDENTITY_SELECTION_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "agent/identity/certificate_facts.h"
#include "agent/identity/identity.h"
#include "ipc/wire/certificate_request.h"

namespace signet::agent {

struct Candidate {
  const Identity* identity;      // into the snapshot
  wire::SignatureScheme scheme;  // the requester's first that the key can do
  std::chrono::sys_seconds not_after;
  bool previous = false;  // with the certificate that was current before the last switch
};

struct Selection {
  // All that fit, best first (latest expiry, then name). An identity can be there twice, once with
  // its previous certificate, which is to be used only where the current one can't be.
  std::vector<Candidate> candidates;
  std::string why_none;  // for a person, when there is none: the nearest miss ("expired ...")
};

// User and device identities only. Checks: a usable scheme; the whole chain's signatures within
// signature_algorithms_cert (or signature_algorithms; a self-issued certificate's own signature is
// not checked); certificate_authorities names an issuer in the chain; oid_filters; validity at
// `now`; key usage digitalSignature and extended key usage clientAuth where the extensions are
// present.
Selection SelectIdentities(const Identities& identities, const wire::CertificateRequest& request,
                           std::chrono::system_clock::time_point now);

// Why an identity can't be used now, whatever the request: no certificate yet, expired, not yet
// valid. Nothing when it can, be it with its previous certificate.
std::optional<std::string> WhyUnusable(const Identity& identity,
                                       std::chrono::system_clock::time_point now);

// Empty strings without a certificate.
CertificateSummary Summarize(const Identity& identity);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_IDENTITY_SELECTION_H_
