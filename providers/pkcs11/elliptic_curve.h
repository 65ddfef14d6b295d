// The curves that TLS 1.3 signs with, as PKCS#11 and OpenSSL name them.
#ifndef SIGNET_PROVIDERS_PKCS11_ELLIPTIC_CURVE_H_
#define SIGNET_PROVIDERS_PKCS11_ELLIPTIC_CURVE_H_

#include <openssl/evp.h>

#include <optional>
#include <span>

#include "ipc/wire/bytes.h"
#include "ipc/wire/signature_scheme.h"

namespace signet::providers::pkcs11 {

// CKA_EC_PARAMS: the curve's OID, DER.
inline constexpr uint8_t kP256Parameters[] = {0x06, 0x08, 0x2a, 0x86, 0x48,
                                              0xce, 0x3d, 0x03, 0x01, 0x07};
inline constexpr uint8_t kP384Parameters[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
inline constexpr uint8_t kP521Parameters[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};

struct EllipticCurve {
  wire::SignatureScheme scheme;
  const char* group;           // OpenSSL's name
  wire::BytesView parameters;  // CKA_EC_PARAMS
  size_t bits;

  size_t coordinate_size() const { return (bits + 7) / 8; }
};

// Static storage.
std::span<const EllipticCurve> AllEllipticCurves();
// Null: none of ours.
const EllipticCurve* FindCurve(wire::BytesView ec_parameters);
const EllipticCurve* FindCurve(wire::SignatureScheme scheme);
const EllipticCurve* CurveOf(const EVP_PKEY& ec_key);

// SubjectPublicKeyInfo (DER) from CKA_EC_POINT: a DER OCTET STRING by the standard, the bare point
// with some modules. Nothing when it is not a point of the curve.
std::optional<wire::Bytes> PublicKeyFromPoint(const EllipticCurve& curve, wire::BytesView ec_point);

}  // namespace signet::providers::pkcs11

#endif  // SIGNET_PROVIDERS_PKCS11_ELLIPTIC_CURVE_H_
