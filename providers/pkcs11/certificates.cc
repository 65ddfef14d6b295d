#include "providers/pkcs11/certificates.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

namespace signet::providers::pkcs11 {
namespace {

constexpr size_t kLongestChain = 5;

bool IsIssuedBy(const TokenCertificate& certificate, const TokenCertificate& issuer) {
  return X509_check_issued(issuer.x509.get(), certificate.x509.get()) == X509_V_OK;
}

}  // namespace

CK_RV ReadCertificates(const Module& module, CK_SESSION_HANDLE session, const Template& search,
                       std::vector<TokenCertificate>& certificates) {
  certificates.clear();
  std::vector<CK_OBJECT_HANDLE> objects;
  if (const CK_RV rv = FindObjects(module, session, search, objects); rv != CKR_OK) return rv;
  for (const CK_OBJECT_HANDLE object : objects) {
    TokenCertificate certificate;
    if (ReadAttribute(module, session, object, CKA_VALUE, certificate.der) != CKR_OK ||
        ReadAttribute(module, session, object, CKA_ID, certificate.id) != CKR_OK ||
        ReadAttribute(module, session, object, CKA_LABEL, certificate.label) != CKR_OK) {
      continue;
    }
    const uint8_t* der = certificate.der.data();
    certificate.x509.reset(d2i_X509(nullptr, &der, static_cast<long>(certificate.der.size())));
    const bool whole = der == certificate.der.data() + certificate.der.size();
    if (certificate.x509 != nullptr && whole) certificates.push_back(std::move(certificate));
  }
  ERR_clear_error();
  return CKR_OK;
}

std::optional<PublicKey> PublicKeyOf(const TokenCertificate& certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate.x509.get());
  std::optional<PublicKey> usable;
  if (key != nullptr) usable = UsablePublicKey(*key);
  ERR_clear_error();
  return usable;
}

bool IsAuthority(const TokenCertificate& certificate) {
  return X509_check_ca(certificate.x509.get()) != 0;
}

const TokenCertificate* FindCertificate(const std::vector<TokenCertificate>& certificates,
                                        const PublicKey& key) {
  const TokenCertificate* found = nullptr;
  for (const TokenCertificate& certificate : certificates) {
    const std::optional<PublicKey> own = PublicKeyOf(certificate);
    if (!own.has_value() || own->info != key.info) continue;
    if (found == nullptr || ASN1_TIME_compare(X509_get0_notAfter(certificate.x509.get()),
                                              X509_get0_notAfter(found->x509.get())) > 0) {
      found = &certificate;
    }
  }
  return found;
}

std::vector<wire::Bytes> ChainOf(const TokenCertificate& leaf,
                                 const std::vector<TokenCertificate>& certificates) {
  std::vector<wire::Bytes> chain{leaf.der};
  const TokenCertificate* last = &leaf;
  while (chain.size() < kLongestChain) {
    const auto issuer =
        std::ranges::find_if(certificates, [&](const TokenCertificate& certificate) {
          return IsIssuedBy(*last, certificate) && !IsIssuedBy(certificate, certificate);
        });
    if (issuer == certificates.end()) break;
    chain.push_back(issuer->der);
    last = &*issuer;
  }
  return chain;
}

}  // namespace signet::providers::pkcs11
