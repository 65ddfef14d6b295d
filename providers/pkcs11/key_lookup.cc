#include "providers/pkcs11/key_lookup.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "providers/pkcs11/certificates.h"
#include "providers/pkcs11/objects.h"

namespace signet::providers::pkcs11 {
namespace {

absl::Status NotFound(const std::string& prefix) {
  return absl::NotFoundError(absl::StrCat(
      prefix, ": the token holds no such key; insert the token that does, or make a new key"));
}

absl::Status Ambiguous(const std::string& prefix, size_t count) {
  return absl::InvalidArgumentError(
      absl::StrCat(prefix, ": ", count,
                   " keys fit the PKCS#11 URI; add the id and object (label) of the one meant"));
}

// Some tokens keep no public keys, only the certificates for them.
CK_RV FindCertifiedKey(const Module& module, CK_SESSION_HANDLE session, const std::string& prefix,
                       const KeyUri& uri, absl::StatusOr<PublicKey>& result) {
  std::vector<TokenCertificate> certificates;
  const CK_RV rv = ReadCertificates(module, session, uri.SearchFor(CKO_CERTIFICATE), certificates);
  if (rv != CKR_OK) return rv;
  for (const TokenCertificate& certificate : certificates) {
    std::optional<PublicKey> key = PublicKeyOf(certificate);
    if (!key.has_value()) continue;
    if (result.ok() && result->info != key->info) {
      result = Ambiguous(prefix, certificates.size());
      break;
    }
    result = *std::move(key);
  }
  return CKR_OK;
}

}  // namespace

CK_RV FindPublicKey(const Module& module, CK_SESSION_HANDLE session, const std::string& prefix,
                    const KeyUri& uri, absl::StatusOr<PublicKey>& result) {
  std::vector<CK_OBJECT_HANDLE> objects;
  CK_RV rv = FindObjects(module, session, uri.SearchFor(CKO_PUBLIC_KEY), objects);
  if (rv != CKR_OK) return rv;
  result = NotFound(prefix);
  size_t usable = 0;
  for (const CK_OBJECT_HANDLE object : objects) {
    std::optional<PublicKey> key;
    // An object that can't be read is passed over; a session that broke shows in the next call.
    if (ReadPublicKey(module, session, object, key) != CKR_OK) continue;
    if (key.has_value()) {
      result = *std::move(key);
      ++usable;
    } else if (usable == 0) {
      result = absl::UnimplementedError(absl::StrCat(
          prefix,
          ": keys of this kind on a PKCS#11 token are not supported; use one of P-256, P-384, "
          "P-521, Ed25519 or RSA with 2048 bits or more"));
    }
  }
  if (usable > 1) result = Ambiguous(prefix, usable);
  return objects.empty() ? FindCertifiedKey(module, session, prefix, uri, result) : CKR_OK;
}

CK_RV FindPrivateKey(const Module& module, CK_SESSION_HANDLE session, const std::string& prefix,
                     const KeyUri& uri, CK_KEY_TYPE type, absl::StatusOr<PrivateKey>& result) {
  std::vector<CK_OBJECT_HANDLE> objects;
  Template search = uri.SearchFor(CKO_PRIVATE_KEY);
  search.Add(CKA_KEY_TYPE, CK_ULONG{type});
  CK_RV rv = FindObjects(module, session, search, objects);
  if (rv != CKR_OK) return rv;
  if (objects.empty()) {
    result = NotFound(prefix);
    return CKR_OK;
  }
  if (objects.size() > 1) {
    result = Ambiguous(prefix, objects.size());
    return CKR_OK;
  }
  PrivateKey key{.handle = objects[0], .asks_each_time = false};
  rv = ReadBool(module, session, key.handle, CKA_ALWAYS_AUTHENTICATE, key.asks_each_time);
  if (rv == CKR_OK) result = key;
  return rv;
}

}  // namespace signet::providers::pkcs11
