// TLS SignatureScheme (RFC 8446 section 4.2.3): those that Signet knows. Others pass through
// parsers as numbers and match nothing.
#ifndef SIGNET_IPC_WIRE_SIGNATURE_SCHEME_H_
#define SIGNET_IPC_WIRE_SIGNATURE_SCHEME_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "ipc/wire/bytes.h"
#include "ipc/wire/result.h"

namespace signet::wire {

enum class SignatureScheme : uint16_t {
  kRsaPkcs1Sha256 = 0x0401,  // in certificates only
  kRsaPkcs1Sha384 = 0x0501,
  kRsaPkcs1Sha512 = 0x0601,
  kEcdsaSecp256r1Sha256 = 0x0403,
  kEcdsaSecp384r1Sha384 = 0x0503,
  kEcdsaSecp521r1Sha512 = 0x0603,
  kRsaPssRsaeSha256 = 0x0804,
  kRsaPssRsaeSha384 = 0x0805,
  kRsaPssRsaeSha512 = 0x0806,
  kEd25519 = 0x0807,
  kEd448 = 0x0808,
  kRsaPssPssSha256 = 0x0809,
  kRsaPssPssSha384 = 0x080a,
  kRsaPssPssSha512 = 0x080b,
};

// May it sign a TLS 1.3 CertificateVerify? (No PKCS#1 v1.5, no SHA-1, no unknown number.)
bool IsTls13Signature(SignatureScheme scheme);

// "ecdsa_secp256r1_sha256"; "unknown" for a number we do not know.
std::string_view Name(SignatureScheme scheme);

// The content of signature_algorithms or signature_algorithms_cert, in order: at least one.
Result<std::vector<SignatureScheme>> ParseSignatureSchemes(BytesView extension_data);

}  // namespace signet::wire

#endif  // SIGNET_IPC_WIRE_SIGNATURE_SCHEME_H_
