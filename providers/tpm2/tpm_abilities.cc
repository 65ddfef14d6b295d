#include "providers/tpm2/tpm_abilities.h"

#include <optional>

namespace signet::providers {

absl::StatusOr<bool> TpmAbilities::Has(Tpm& tpm, const SigningAlgorithm& algorithm) {
  for (const SigningScheme& scheme : algorithm.schemes) {
    absl::StatusOr<bool> has = Has(tpm, algorithm, scheme);
    if (!has.ok() || *has) return has;
  }
  return false;
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
  std::vector<SigningScheme> schemes;
  for (const SigningScheme& scheme : possible) {
    absl::StatusOr<bool> has = Has(tpm, algorithm, scheme);
    if (!has.ok()) return has.status();
    if (*has) schemes.push_back(scheme);
  }
  if (schemes.empty() || salts_like_tls_) return schemes;
  const TPM2B_DIGEST digest = Digest(schemes.front(), {});
  absl::StatusOr<TPMT_SIGNATURE> signature = tpm.Sign(key, digest, TpmScheme(schemes.front()));
  if (!signature.ok()) return signature.status();
  const std::optional<wire::Bytes> bytes = TlsSignature(*signature);
  salts_like_tls_ = bytes && public_key.Verifies(schemes.front(), digest, *bytes);
  if (!salts_like_tls_) schemes.clear();
  return schemes;
}

}  // namespace signet::providers
