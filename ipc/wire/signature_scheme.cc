#include "ipc/wire/signature_scheme.h"

#include "ipc/wire/reader.h"

namespace signet::wire {

bool IsTls13Signature(SignatureScheme scheme) {
  switch (scheme) {
    case SignatureScheme::kEcdsaSecp256r1Sha256:
    case SignatureScheme::kEcdsaSecp384r1Sha384:
    case SignatureScheme::kEcdsaSecp521r1Sha512:
    case SignatureScheme::kRsaPssRsaeSha256:
    case SignatureScheme::kRsaPssRsaeSha384:
    case SignatureScheme::kRsaPssRsaeSha512:
    case SignatureScheme::kEd25519:
    case SignatureScheme::kEd448:
    case SignatureScheme::kRsaPssPssSha256:
    case SignatureScheme::kRsaPssPssSha384:
    case SignatureScheme::kRsaPssPssSha512:
      return true;
    case SignatureScheme::kRsaPkcs1Sha256:
    case SignatureScheme::kRsaPkcs1Sha384:
    case SignatureScheme::kRsaPkcs1Sha512:
      return false;
  }
  return false;
}

std::string_view Name(SignatureScheme scheme) {
  switch (scheme) {
    case SignatureScheme::kRsaPkcs1Sha256:
      return "rsa_pkcs1_sha256";
    case SignatureScheme::kRsaPkcs1Sha384:
      return "rsa_pkcs1_sha384";
    case SignatureScheme::kRsaPkcs1Sha512:
      return "rsa_pkcs1_sha512";
    case SignatureScheme::kEcdsaSecp256r1Sha256:
      return "ecdsa_secp256r1_sha256";
    case SignatureScheme::kEcdsaSecp384r1Sha384:
      return "ecdsa_secp384r1_sha384";
    case SignatureScheme::kEcdsaSecp521r1Sha512:
      return "ecdsa_secp521r1_sha512";
    case SignatureScheme::kRsaPssRsaeSha256:
      return "rsa_pss_rsae_sha256";
    case SignatureScheme::kRsaPssRsaeSha384:
      return "rsa_pss_rsae_sha384";
    case SignatureScheme::kRsaPssRsaeSha512:
      return "rsa_pss_rsae_sha512";
    case SignatureScheme::kEd25519:
      return "ed25519";
    case SignatureScheme::kEd448:
      return "ed448";
    case SignatureScheme::kRsaPssPssSha256:
      return "rsa_pss_pss_sha256";
    case SignatureScheme::kRsaPssPssSha384:
      return "rsa_pss_pss_sha384";
    case SignatureScheme::kRsaPssPssSha512:
      return "rsa_pss_pss_sha512";
  }
  return "unknown";
}

Result<std::vector<SignatureScheme>> ParseSignatureSchemes(BytesView extension_data) {
  Reader data(extension_data);
  BytesView list;
  if (!data.ReadVector16(list)) return Error::kTruncated;
  if (!data.empty()) return Error::kTrailingBytes;
  if (list.empty()) return Error::kEmpty;
  std::vector<SignatureScheme> schemes;
  Reader reader(list);
  while (!reader.empty()) {
    uint16_t scheme;
    if (!reader.ReadU16(scheme)) return Error::kTruncated;
    schemes.push_back(static_cast<SignatureScheme>(scheme));
  }
  return schemes;
}

}  // namespace signet::wire
