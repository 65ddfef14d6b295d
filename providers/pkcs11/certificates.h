// X.509 certificates on a token.
#ifndef SIGNET_PROVIDERS_PKCS11_CERTIFICATES_H_
#define SIGNET_PROVIDERS_PKCS11_CERTIFICATES_H_

#include <openssl/x509.h>
#include <p11-kit/pkcs11.h>

#include <memory>
#include <optional>
#include <vector>

#include "ipc/wire/bytes.h"
#include "providers/pkcs11/module.h"
#include "providers/pkcs11/objects.h"
#include "providers/pkcs11/public_key.h"

namespace signet::providers::pkcs11 {

struct TokenCertificate {
  struct Free {
    void operator()(X509* certificate) const { X509_free(certificate); }
  };
  wire::Bytes id;  // CKA_ID: that of its key, if the token holds it
  wire::Bytes label;
  wire::Bytes der;
  std::unique_ptr<X509, Free> x509;
};

// Those that match. What can't be read or is no X.509 certificate is passed over.
CK_RV ReadCertificates(const Module& module, CK_SESSION_HANDLE session, const Template& search,
                       std::vector<TokenCertificate>& certificates);

// Nothing for a key of a kind that we can't use.
std::optional<PublicKey> PublicKeyOf(const TokenCertificate& certificate);

// An authority's, so no key of the token's holder.
bool IsAuthority(const TokenCertificate& certificate);

// The certificate for this public key that lasts longest; null when there is none.
const TokenCertificate* FindCertificate(const std::vector<TokenCertificate>& certificates,
                                        const PublicKey& key);

// The leaf and, in order, its issuers as far as they are on the token; DER. Without the root, which
// the peer has or will not believe.
std::vector<wire::Bytes> ChainOf(const TokenCertificate& leaf,
                                 const std::vector<TokenCertificate>& certificates);

}  // namespace signet::providers::pkcs11

#endif  // SIGNET_PROVIDERS_PKCS11_CERTIFICATES_H_
