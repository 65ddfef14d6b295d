// Which algorithms a TPM has.
#ifndef SIGNET_PROVIDERS_TPM2_TPM_ABILITIES_H_
#define SIGNET_PROVIDERS_TPM2_TPM_ABILITIES_H_

#include <map>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "providers/tpm2/public_key.h"
#include "providers/tpm2/signing_algorithm.h"
#include "providers/tpm2/tpm.h"

namespace signet::providers {

// Asks when it is first needed and remembers: a TPM does not change. Errors are those of TpmError.
// One thread.
class TpmAbilities {
 public:
  // Those that it has with one scheme at least.
  absl::StatusOr<std::vector<KeyAlgorithm>> Offered(Tpm& tpm);

  // What TLS 1.3 peers will accept of the loaded key. Sends nothing for an elliptic curve. The
  // first RSA key signs once: the TPM library specification leaves the length of RSA-PSS's salt to
  // the vendor, and no property tells it; TLS demands that of the hash (RFC 8446 section 4.2.3).
  absl::StatusOr<std::vector<SigningScheme>> Schemes(Tpm& tpm, const TpmObject& key,
                                                     const SigningAlgorithm& algorithm,
                                                     const TPMT_PUBLIC& area,
                                                     const PublicKey& public_key);

 private:
  absl::StatusOr<std::vector<SigningScheme>> Supported(Tpm& tpm, const SigningAlgorithm& algorithm,
                                                       std::span<const SigningScheme> possible);
  absl::StatusOr<bool> Has(Tpm& tpm, const SigningAlgorithm& algorithm,
                           const SigningScheme& scheme);

  std::map<std::pair<KeyAlgorithm, wire::SignatureScheme>, bool> has_;
  bool salts_like_tls_ = false;  // a signature has shown it
};

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_TPM2_TPM_ABILITIES_H_
