// Input: a byte that chooses the curve, then CKA_EC_POINT as a token gives it.
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "providers/pkcs11/elliptic_curve.h"
#include "tests/fuzz/check.h"

namespace signet::providers::pkcs11 {
namespace {

void Check(wire::BytesView input) {
  if (input.empty()) return;
  const std::span<const EllipticCurve> curves = AllEllipticCurves();
  const EllipticCurve& curve = curves[input[0] % curves.size()];
  const std::optional<wire::Bytes> key = PublicKeyFromPoint(curve, input.subspan(1));
  if (!key) return;
  const uint8_t* next = key->data();
  EVP_PKEY* parsed = d2i_PUBKEY(nullptr, &next, static_cast<long>(key->size()));
  SIGNET_CHECK(parsed != nullptr && next == key->data() + key->size());
  SIGNET_CHECK(CurveOf(*parsed) == &curve);
  EVP_PKEY_free(parsed);
}

}  // namespace
}  // namespace signet::providers::pkcs11

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  signet::providers::pkcs11::Check({data, size});
  return 0;
}
