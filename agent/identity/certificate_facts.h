// What selection, policy and people need to know of a certificate chain, parsed once: with hundreds
// of identities, a request must not parse hundreds of certificates.
#ifndef SIGNET_AGENT_IDENTITY_CERTIFICATE_FACTS_H_
#define SIGNET_AGENT_IDENTITY_CERTIFICATE_FACTS_H_

#include <openssl/evp.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/identity/identity.h"
#include "ipc/wire/bytes.h"
#include "ipc/wire/signature_scheme.h"

namespace signet::agent {

// What people are shown of a leaf certificate; empty strings without one. RFC 2253-style names.
struct CertificateSummary {
  std::string subject;
  std::string issuer;
  std::string serial;      // upper-case hex
  std::string sha256;      // lower-case hex
  std::string not_before;  // RFC 3339, UTC
  std::string not_after;
};

// Of one certificate, as far as a request for signature algorithms or authorities goes.
struct CertificateFacts {
  wire::Bytes subject;  // DER
  wire::Bytes issuer;
  // The schemes that stand for the issuer's signature (RSA-PSS has one per kind of key); empty for
  // one that TLS has no number for.
  std::vector<wire::SignatureScheme> signed_with;
  // Whole seconds: a certificate may be valid until the year 9999, nanoseconds end in 2262.
  std::chrono::sys_seconds not_before;
  std::chrono::sys_seconds not_after;

  bool self_issued() const { return subject == issuer; }
};

// Immutable, so safe to share between threads.
struct ChainFacts {
  std::vector<CertificateFacts> certificates;  // leaf first; at least one
  CertificateSummary summary;                  // of the leaf, as all that follows
  std::string issuer_common_name;              // UTF-8; empty when it has none
  std::shared_ptr<EVP_PKEY> public_key;
  wire::Bytes public_key_info;                                 // SubjectPublicKeyInfo, DER
  std::optional<std::vector<bool>> key_usage;                  // by bit; nothing: no extension
  std::optional<std::vector<wire::Bytes>> extended_key_usage;  // DER of each OID

  const CertificateFacts& leaf() const { return certificates.front(); }
};

// kInvalidArgument, naming the certificate, for an empty chain or one that does not parse.
absl::StatusOr<std::shared_ptr<const ChainFacts>> ReadChainFacts(
    const std::vector<wire::Bytes>& chain);

// The identity's own facts, or parsed now if it has a chain but no facts; null without a chain or
// for one that does not parse.
std::shared_ptr<const ChainFacts> FactsOf(const Identity& identity);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_IDENTITY_CERTIFICATE_FACTS_H_
