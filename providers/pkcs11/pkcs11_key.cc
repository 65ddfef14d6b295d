#include "providers/pkcs11/pkcs11_key.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"

namespace signet::providers::pkcs11 {
namespace {

// r and s of the largest curve, and then some for modules that ask for more than they need.
constexpr size_t kSignatureBuffer = 256;

CK_RV SignHash(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
               wire::BytesView hash, wire::Bytes& signature) {
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  if (const CK_RV rv = module->C_SignInit(session, &mechanism, key); rv != CKR_OK) return rv;
  signature.resize(kSignatureBuffer);
  CK_ULONG size = signature.size();
  const CK_RV rv = module->C_Sign(session, const_cast<uint8_t*>(hash.data()), hash.size(),
                                  signature.data(), &size);
  signature.resize(rv == CKR_OK ? std::min<CK_ULONG>(size, kSignatureBuffer) : 0);
  return rv;
}

}  // namespace

CK_RV Pkcs11Key::Sign(const Module& module, CK_SESSION_HANDLE session, wire::BytesView hash,
                      absl::StatusOr<wire::Bytes>& raw) {
  if (generation_ != token_.generation()) handle_ = CK_INVALID_HANDLE;
  for (bool cached = handle_ != CK_INVALID_HANDLE;; cached = false) {
    if (!cached) {
      absl::StatusOr<CK_OBJECT_HANDLE> found;
      const CK_RV rv = FindPrivateKey(module, session, token_.Prefix("sign"), uri_, found);
      if (rv != CKR_OK) return rv;
      if (!found.ok()) {
        raw = found.status();
        return CKR_OK;
      }
      handle_ = *found;
      generation_ = token_.generation();
    }
    wire::Bytes signature;
    const CK_RV rv = SignHash(module, session, handle_, hash, signature);
    // Another program changed the token and the handle with it: find the key once more.
    const bool stale = rv == CKR_KEY_HANDLE_INVALID || rv == CKR_OBJECT_HANDLE_INVALID;
    if (stale) handle_ = CK_INVALID_HANDLE;
    if (stale && cached) continue;
    raw = std::move(signature);
    return rv;
  }
}

absl::StatusOr<wire::Bytes> Pkcs11Key::SignSlowly(wire::SignatureScheme scheme,
                                                  wire::BytesView message) {
  if (scheme != curve_.scheme) {
    return absl::UnimplementedError(absl::StrCat(token_.Prefix("sign"), ": this key can't do ",
                                                 std::string(wire::Name(scheme)), "; choose ",
                                                 std::string(wire::Name(curve_.scheme))));
  }
  const wire::Bytes hash = Hash(curve_, message);
  absl::StatusOr<wire::Bytes> raw;
  const absl::Status status =
      token_.Run("sign", Access::kUser, [&](const Module& module, CK_SESSION_HANDLE session) {
        return Sign(module, session, hash, raw);
      });
  if (!status.ok()) return status;
  if (!raw.ok()) return raw.status();
  std::optional<wire::Bytes> signature = DerSignature(curve_, *raw);
  if (!signature.has_value()) {
    return absl::UnavailableError(
        absl::StrCat(token_.Prefix("sign"), ": the module returned a signature of ", raw->size(),
                     " bytes, which fits no key of this kind; update the module"));
  }
  return *std::move(signature);
}

}  // namespace signet::providers::pkcs11
