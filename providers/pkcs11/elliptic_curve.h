// The curves that TLS 1.3 signs with, as PKCS#11 and OpenSSL name them.
#ifndef SIGNET_PROVIDERS_PKCS11_ELLIPTIC_CURVE_H_
#define SIGNET_PROVIDERS_PKCS11_ELLIPTIC_CURVE_H_

#include <optional>
#include <span>

#include "ipc/wire/bytes.h"
#include "ipc/wire/signature_scheme.h"
#include "providers/key_algorithm.h"

namespace signet::providers::pkcs11 {

struct EllipticCurve {
  KeyAlgorithm algorithm;
  wire::SignatureScheme scheme;
  const char* group;           // OpenSSL's name
  const char* hash;            // OpenSSL's name, the scheme's
  wire::BytesView parameters;  // CKA_EC_PARAMS: the curve's OID, DER
  size_t bits;

  size_t coordinate_size() const { return (bits + 7) / 8; }
};

// Static storage.
std::span<const EllipticCurve> AllEllipticCurves();
const EllipticCurve* FindCurve(KeyAlgorithm algorithm);         // null: none of ours
const EllipticCurve* FindCurve(wire::BytesView ec_parameters);  // null: none of ours

// SubjectPublicKeyInfo (DER) from CKA_EC_POINT: a DER OCTET STRING by the standard, the bare point
// with some modules. Nothing when it is not a point of the curve.
std::optional<wire::Bytes> PublicKeyFromPoint(const EllipticCurve& curve, wire::BytesView ec_point);

// The message's hash, for CKM_ECDSA.
wire::Bytes Hash(const EllipticCurve& curve, wire::BytesView message);

// ECDSA-Sig-Value (RFC 3279 section 2.2.3), DER, from PKCS#11's r || s. Nothing for another size.
std::optional<wire::Bytes> DerSignature(const EllipticCurve& curve, wire::BytesView r_and_s);

}  // namespace signet::providers::pkcs11

#endif  // SIGNET_PROVIDERS_PKCS11_ELLIPTIC_CURVE_H_
