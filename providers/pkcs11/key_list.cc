#include "providers/pkcs11/key_list.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "providers/pkcs11/certificates.h"
#include "providers/pkcs11/key_lookup.h"
#include "providers/pkcs11/key_uri.h"
#include "providers/pkcs11/objects.h"
#include "providers/pkcs11/public_key.h"

namespace signet::providers::pkcs11 {
namespace {

// The public side of a key pair.
struct Candidate {
  wire::Bytes id;
  wire::Bytes label;
  PublicKey key;
};

Template OfClass(CK_OBJECT_CLASS object_class) { return Template().Add(CKA_CLASS, object_class); }

bool Holds(const std::vector<Candidate>& candidates, const PublicKey& key) {
  return std::ranges::any_of(
      candidates, [&](const Candidate& candidate) { return candidate.key.info == key.info; });
}

CK_RV AddPublicKeys(const Module& module, CK_SESSION_HANDLE session,
                    std::vector<Candidate>& candidates) {
  std::vector<CK_OBJECT_HANDLE> objects;
  const CK_RV rv = FindObjects(module, session, OfClass(CKO_PUBLIC_KEY), objects);
  if (rv != CKR_OK) return rv;
  for (const CK_OBJECT_HANDLE object : objects) {
    wire::Bytes id;
    wire::Bytes label;
    std::optional<PublicKey> key;
    if (ReadPublicKey(module, session, object, key) != CKR_OK || !key.has_value() ||
        ReadAttribute(module, session, object, CKA_ID, id) != CKR_OK ||
        ReadAttribute(module, session, object, CKA_LABEL, label) != CKR_OK) {
      continue;
    }
    if (!Holds(candidates, *key)) {
      candidates.push_back({std::move(id), std::move(label), *std::move(key)});
    }
  }
  return CKR_OK;
}

void AddKeysOf(const std::vector<TokenCertificate>& certificates,
               std::vector<Candidate>& candidates) {
  for (const TokenCertificate& certificate : certificates) {
    if (certificate.id.empty() || IsAuthority(certificate)) continue;
    std::optional<PublicKey> key = PublicKeyOf(certificate);
    if (!key.has_value() || Holds(candidates, *key)) continue;
    candidates.push_back({certificate.id, certificate.label, *std::move(key)});
  }
}

// By its id, which is what a key's certificate shares; with the label where that is not enough.
wire::Bytes ReferenceTo(const Candidate& candidate, const std::vector<Candidate>& candidates,
                        const CK_TOKEN_INFO& token) {
  const bool unique =
      !candidate.id.empty() && std::ranges::count(candidates, candidate.id, &Candidate::id) == 1;
  return KeyUri::Format(token, candidate.id, unique ? wire::BytesView() : candidate.label);
}

// The call to the module worked; may the key sign?
CK_RV MaySign(const Module& module, CK_SESSION_HANDLE session, const KeyUri& uri, CK_KEY_TYPE type,
              bool& may) {
  absl::StatusOr<PrivateKey> found;
  may = false;
  const CK_RV rv = FindPrivateKey(module, session, "", uri, type, found);
  if (rv != CKR_OK || !found.ok()) return rv;
  return ReadBool(module, session, found->handle, CKA_SIGN, may);
}

}  // namespace

CK_RV ListKeys(const Module& module, CK_SESSION_HANDLE session, const ListedToken& token,
               std::vector<FoundKey>& keys) {
  keys.clear();
  std::vector<TokenCertificate> certificates;
  std::vector<Candidate> candidates;
  CK_RV rv = AddPublicKeys(module, session, candidates);
  if (rv == CKR_OK) rv = ReadCertificates(module, session, OfClass(CKO_CERTIFICATE), certificates);
  if (rv != CKR_OK) return rv;
  AddKeysOf(certificates, candidates);

  CK_MECHANISM_INFO pss{};
  const bool rsa_signs = module->C_GetMechanismInfo(token.slot, CKM_RSA_PKCS_PSS, &pss) == CKR_OK;
  for (const Candidate& candidate : candidates) {
    const PublicKey& key = candidate.key;
    if (key.type == CKK_RSA && !rsa_signs) continue;
    wire::Bytes reference = ReferenceTo(candidate, candidates, token.info);
    absl::StatusOr<KeyUri> uri = KeyUri::Parse("", token.label, reference);
    if (!uri.ok()) continue;
    bool may_sign = true;
    if (token.unlocked) {
      rv = MaySign(module, session, *uri, key.type, may_sign);
      if (rv != CKR_OK) return rv;
    }
    if (!may_sign) continue;

    FoundKey found;
    found.reference = std::move(reference);
    found.algorithm = AlgorithmOf(key);
    found.public_key = key.info;
    for (const SigningScheme* scheme : key.schemes) found.schemes.push_back(scheme->scheme);
    const TokenCertificate* certificate = FindCertificate(certificates, key);
    if (certificate != nullptr) found.chain = ChainOf(*certificate, certificates);
    const wire::Bytes& label = certificate != nullptr ? certificate->label : candidate.label;
    found.label.assign(label.begin(), label.end());
    keys.push_back(std::move(found));
  }
  return CKR_OK;
}

}  // namespace signet::providers::pkcs11
