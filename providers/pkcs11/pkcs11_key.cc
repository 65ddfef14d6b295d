#include "providers/pkcs11/pkcs11_key.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"

namespace signet::providers::pkcs11 {
namespace {

// Of RSA with 8192 bits, or r and s of the largest curve and then some for modules that ask for
// more than they need.
constexpr size_t kSignatureBuffer = 1024;

}  // namespace

CK_RV Pkcs11Key::SignOnce(const Module& module, CK_SESSION_HANDLE session,
                          const SigningScheme& scheme, wire::BytesView input,
                          absl::StatusOr<wire::Bytes>& raw) {
  CK_RSA_PKCS_PSS_PARAMS pss = scheme.pss;
  CK_MECHANISM mechanism{scheme.mechanism, nullptr, 0};
  if (scheme.mechanism == CKM_RSA_PKCS_PSS) mechanism = {scheme.mechanism, &pss, sizeof(pss)};
  wire::Bytes signature(kSignatureBuffer);
  CK_ULONG size = signature.size();
  uint8_t nothing = 0;  // modules take no null pointer for an empty message
  uint8_t* data = input.empty() ? &nothing : const_cast<uint8_t*>(input.data());
  absl::Status refusal;
  CK_RV rv = private_key_.asks_each_time ? token_.PrepareOneSignature(refusal) : CKR_OK;
  if (rv == CKR_OK && refusal.ok())
    rv = module->C_SignInit(session, &mechanism, private_key_.handle);
  if (rv == CKR_OK && refusal.ok() && private_key_.asks_each_time) {
    rv = token_.LoginForOneSignature(refusal);
  }
  if (rv == CKR_OK && refusal.ok()) {
    rv = module->C_Sign(session, data, input.size(), signature.data(), &size);
  }
  signature.resize(rv == CKR_OK ? std::min<CK_ULONG>(size, kSignatureBuffer) : 0);
  raw = std::move(signature);
  if (!refusal.ok()) raw = refusal;
  return rv;
}

// With `old_tries`, which is false at first, it signs only if they are not, and else says so.
CK_RV Pkcs11Key::Sign(const Module& module, CK_SESSION_HANDLE session, const SigningScheme& scheme,
                      wire::BytesView input, bool* old_tries, absl::StatusOr<wire::Bytes>& raw) {
  if (generation_ != token_.generation()) private_key_ = {};
  for (bool cached = private_key_.handle != CK_INVALID_HANDLE;; cached = false) {
    if (!cached) {
      absl::StatusOr<PrivateKey> found;
      const CK_RV rv =
          FindPrivateKey(module, session, token_.Prefix("sign"), uri_, public_key_.type, found);
      if (rv != CKR_OK) return rv;
      if (!found.ok()) {
        raw = found.status();
        return CKR_OK;
      }
      private_key_ = *found;
      generation_ = token_.generation();
    }
    if (old_tries != nullptr && private_key_.asks_each_time && token_.HasOldTries()) {
      *old_tries = true;
      return CKR_OK;
    }
    const CK_RV rv = SignOnce(module, session, scheme, input, raw);
    // Another program changed the token and the handle with it: find the key once more.
    const bool stale = rv == CKR_KEY_HANDLE_INVALID || rv == CKR_OBJECT_HANDLE_INVALID;
    if (stale) private_key_ = {};
    if (stale && cached) continue;
    return rv;
  }
}

absl::StatusOr<wire::Bytes> Pkcs11Key::SignSlowly(wire::SignatureScheme name,
                                                  wire::BytesView message) {
  const auto found = std::ranges::find(public_key_.schemes, name, &SigningScheme::scheme);
  if (found == public_key_.schemes.end()) {
    return absl::UnimplementedError(absl::StrCat(token_.Prefix("sign"), ": this key can't do ",
                                                 std::string(wire::Name(name)), "; choose ",
                                                 std::string(wire::Name(schemes_.front()))));
  }
  const SigningScheme& scheme = **found;
  const wire::Bytes input = SigningInput(scheme, message);
  absl::StatusOr<wire::Bytes> raw;
  bool old_tries = false;
  absl::Status status =
      token_.Run("sign", Access::kUser, [&](const Module& module, CK_SESSION_HANDLE session) {
        return Sign(module, session, scheme, input, &old_tries, raw);
      });
  if (status.ok() && old_tries) {
    status = token_.LoginAgain("sign");
    if (status.ok()) {
      status =
          token_.Run("sign", Access::kUser, [&](const Module& module, CK_SESSION_HANDLE session) {
            return Sign(module, session, scheme, input, nullptr, raw);
          });
    }
  }
  if (!status.ok()) return status;
  if (!raw.ok()) return raw.status();
  std::optional<wire::Bytes> signature = TlsSignature(scheme, public_key_.signature_size, *raw);
  if (!signature.has_value()) {
    return absl::UnavailableError(
        absl::StrCat(token_.Prefix("sign"), ": the module returned a signature of ", raw->size(),
                     " bytes, which fits no key of this kind; update the module"));
  }
  return *std::move(signature);
}

}  // namespace signet::providers::pkcs11
