// What a token holds already.
#ifndef SIGNET_PROVIDERS_PKCS11_KEY_LIST_H_
#define SIGNET_PROVIDERS_PKCS11_KEY_LIST_H_

#include <p11-kit/pkcs11.h>

#include <string>
#include <vector>

#include "providers/backend.h"
#include "providers/pkcs11/module.h"

namespace signet::providers::pkcs11 {

struct ListedToken {
  CK_SLOT_ID slot;
  CK_TOKEN_INFO info;
  std::string label;  // as configured
  bool unlocked;
};

// For use inside Token::Run. All key pairs that TLS 1.3 can sign with, by what of them is public:
// the public key or, where the token has no such object, the certificate. On an unlocked token each
// has been looked for and may sign; on a locked one, which hides its private keys, it may turn out
// that one does not exist. One odd object never hides the others.
CK_RV ListKeys(const Module& module, CK_SESSION_HANDLE session, const ListedToken& token,
               std::vector<FoundKey>& keys);

}  // namespace signet::providers::pkcs11

#endif  // SIGNET_PROVIDERS_PKCS11_KEY_LIST_H_
