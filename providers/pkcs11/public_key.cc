#include "providers/pkcs11/public_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "providers/pkcs11/elliptic_curve.h"
#include "providers/pkcs11/objects.h"

namespace signet::providers::pkcs11 {
namespace {

constexpr size_t kEd25519Size = 32;
constexpr size_t kEd25519SignatureSize = 64;
constexpr int kLeastRsaBits = 2048;
constexpr int kMostRsaBits = 8192;
constexpr uint8_t kOctetString = 0x04;

struct Free {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(EVP_PKEY* pkey) const { EVP_PKEY_free(pkey); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
  void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
};
template <typename T>
using Pointer = std::unique_ptr<T, Free>;

std::optional<wire::Bytes> Encode(const EVP_PKEY* pkey) {
  uint8_t* der = nullptr;
  const int size = pkey == nullptr ? 0 : i2d_PUBKEY(pkey, &der);
  ERR_clear_error();
  if (size <= 0) return std::nullopt;
  wire::Bytes info(der, der + size);
  OPENSSL_free(der);
  return info;
}

CK_RV ReadEcKey(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                std::optional<PublicKey>& key) {
  wire::Bytes parameters;
  wire::Bytes point;
  CK_RV rv = ReadAttribute(module, session, object, CKA_EC_PARAMS, parameters);
  if (rv == CKR_OK) rv = ReadAttribute(module, session, object, CKA_EC_POINT, point);
  const EllipticCurve* curve = FindCurve(parameters);
  if (rv != CKR_OK || curve == nullptr) return rv;
  std::optional<wire::Bytes> info = PublicKeyFromPoint(*curve, point);
  if (info) {
    key = PublicKey{
        CKK_EC, {FindScheme(curve->scheme)}, 2 * curve->coordinate_size(), *std::move(info)};
  }
  return rv;
}

CK_RV ReadEd25519Key(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                     std::optional<PublicKey>& key) {
  // CKA_EC_PARAMS names the curve in one of several ways; the size of the point is one.
  wire::Bytes point;
  const CK_RV rv = ReadAttribute(module, session, object, CKA_EC_POINT, point);
  std::optional<wire::Bytes> info = Ed25519PublicKey(point);
  if (rv == CKR_OK && info) {
    key = PublicKey{CKK_EC_EDWARDS, SchemesOf(CKK_EC_EDWARDS), kEd25519SignatureSize,
                    *std::move(info)};
  }
  return rv;
}

CK_RV ReadRsaKey(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                 std::optional<PublicKey>& key) {
  wire::Bytes modulus;
  wire::Bytes exponent;
  CK_RV rv = ReadAttribute(module, session, object, CKA_MODULUS, modulus);
  if (rv == CKR_OK) rv = ReadAttribute(module, session, object, CKA_PUBLIC_EXPONENT, exponent);
  std::optional<wire::Bytes> info = RsaPublicKey(modulus, exponent);
  if (rv == CKR_OK && info) {
    const auto first = std::ranges::find_if(modulus, [](uint8_t byte) { return byte != 0; });
    key = PublicKey{CKK_RSA, SchemesOf(CKK_RSA), static_cast<size_t>(modulus.end() - first),
                    *std::move(info)};
  }
  return rv;
}

}  // namespace

CK_RV ReadPublicKey(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                    std::optional<PublicKey>& key) {
  key.reset();
  wire::Bytes bytes;
  const CK_RV rv = ReadAttribute(module, session, object, CKA_KEY_TYPE, bytes);
  CK_KEY_TYPE type = CK_UNAVAILABLE_INFORMATION;
  if (bytes.size() == sizeof(type)) std::memcpy(&type, bytes.data(), sizeof(type));
  if (rv != CKR_OK) return rv;
  switch (type) {
    case CKK_EC:
      return ReadEcKey(module, session, object, key);
    case CKK_EC_EDWARDS:
      return ReadEd25519Key(module, session, object, key);
    case CKK_RSA:
      return ReadRsaKey(module, session, object, key);
    default:
      return CKR_OK;
  }
}

std::optional<PublicKey> UsablePublicKey(const EVP_PKEY& key) {
  CK_KEY_TYPE type = CKK_EC;
  std::vector<const SigningScheme*> schemes;
  const auto size = static_cast<size_t>(EVP_PKEY_get_size(&key));  // of a signature, except ECDSA
  size_t signature_size = size;
  if (EVP_PKEY_is_a(&key, "EC") == 1) {
    const EllipticCurve* curve = CurveOf(key);
    if (curve == nullptr) return std::nullopt;
    schemes = {FindScheme(curve->scheme)};
    signature_size = 2 * curve->coordinate_size();
  } else if (EVP_PKEY_is_a(&key, "ED25519") == 1) {
    type = CKK_EC_EDWARDS;
    schemes = SchemesOf(type);
  } else if (EVP_PKEY_is_a(&key, "RSA") == 1) {
    const int bits = EVP_PKEY_get_bits(&key);
    if (bits < kLeastRsaBits || bits > kMostRsaBits) return std::nullopt;
    type = CKK_RSA;
    schemes = SchemesOf(type);
  } else {
    return std::nullopt;
  }
  std::optional<wire::Bytes> info = Encode(&key);
  if (!info) return std::nullopt;
  return PublicKey{type, std::move(schemes), signature_size, *std::move(info)};
}

std::string AlgorithmOf(const PublicKey& key) {
  if (key.type == CKK_RSA) return absl::StrCat("rsa", key.signature_size * 8);
  if (key.type == CKK_EC_EDWARDS) return "ed25519";
  return absl::StrCat("p", FindCurve(key.schemes.front()->scheme)->bits);
}

std::optional<wire::Bytes> Ed25519PublicKey(wire::BytesView ec_point) {
  // A DER OCTET STRING by the standard, the bare point with some modules.
  if (ec_point.size() == kEd25519Size + 2 && ec_point[0] == kOctetString &&
      ec_point[1] == kEd25519Size) {
    ec_point = ec_point.subspan(2);
  }
  if (ec_point.size() != kEd25519Size) return std::nullopt;
  Pointer<EVP_PKEY> pkey(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, ec_point.data(), ec_point.size()));
  return Encode(pkey.get());
}

std::optional<wire::Bytes> RsaPublicKey(wire::BytesView modulus, wire::BytesView exponent) {
  Pointer<BIGNUM> n(BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
  Pointer<BIGNUM> e(BN_bin2bn(exponent.data(), static_cast<int>(exponent.size()), nullptr));
  if (n == nullptr || e == nullptr || BN_is_zero(e.get()) || BN_num_bits(n.get()) < kLeastRsaBits ||
      BN_num_bits(n.get()) > kMostRsaBits) {
    return std::nullopt;
  }
  Pointer<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  Pointer<OSSL_PARAM> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  Pointer<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* made = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) == 1) {
    EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get());
  }
  Pointer<EVP_PKEY> pkey(made);
  return Encode(pkey.get());
}

}  // namespace signet::providers::pkcs11
