#include "providers/tpm2/tpm_abilities.h"

#include <optional>

namespace signet::providers {

absl::StatusOr<std::vector<KeyAlgorithm>> TpmAbilities::Offered(Tpm& tpm) {
  std::vector<KeyAlgorithm> offered;
  for (const SigningAlgorithm& algorithm : SigningAlgorithms()) {
    absl::StatusOr<std::vector<SigningScheme>> schemes =
        Supported(tpm, algorithm, algorithm.schemes);
    if (!schemes.ok()) return schemes.status();
    if (!schemes->empty()) offered.push_back(algorithm.key);
  }
  return offered;
}

absl::StatusOr<std::vector<SigningScheme>> TpmAbilities::Supported(
    Tpm& tpm, const SigningAlgorithm& algorithm, std::span<const SigningScheme> possible) {
  std::vector<SigningScheme> supported;
  for (const SigningScheme& scheme : possible) {
    absl::StatusOr<bool> has = Has(tpm, algorithm, scheme);
    if (!has.ok()) return has.status();
    if (*has) supported.push_back(scheme);
  }
  return supported;
}

absl::StatusOr<bool> TpmAbilities::Has(Tpm& tpm, const SigningAlgorithm& algorithm,
                                       const SigningScheme& scheme) {
  const std::pair key(algorithm.key, scheme.scheme);
  if (auto known = has_.find(key); known != has_.end()) return known->second;
  absl::StatusOr<bool> has = tpm.Has(BoundParameters(algorithm, scheme));
  if (has.ok()) has_[key] = *has;
  return has;
}

absl::StatusOr<std::vector<SigningScheme>> TpmAbilities::Schemes(Tpm& tpm, const TpmObject& key,
                                                                 const SigningAlgorithm& algorithm,
                                                                 const TPMT_PUBLIC& area,
                                                                 const PublicKey& public_key) {
  std::vector<SigningScheme> possible = SchemesOf(algorithm, area);
  if (algorithm.type == TPM2_ALG_ECC) return possible;
  absl::StatusOr<std::vector<SigningScheme>> supported = Supported(tpm, algorithm, possible);
  if (!supported.ok() || supported->empty() || salts_like_tls_) return supported;
  const SigningScheme& trial = supported->front();
  const TPM2B_DIGEST digest = Digest(trial, {});
  absl::StatusOr<TPMT_SIGNATURE> signature =
      tpm.Sign(key, digest, TpmScheme(trial), /*pin=*/nullptr);
  if (!signature.ok()) return signature.status();
  const std::optional<wire::Bytes> bytes = TlsSignature(*signature);
  salts_like_tls_ = bytes && public_key.Verifies(trial, digest, *bytes);
  if (!salts_like_tls_) supported->clear();
  return supported;
}

}  // namespace signet::providers
