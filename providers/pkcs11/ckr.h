// What a PKCS#11 return value means to a person.
#ifndef SIGNET_PROVIDERS_PKCS11_CKR_H_
#define SIGNET_PROVIDERS_PKCS11_CKR_H_

#include <p11-kit/pkcs11.h>

#include <string>

#include "absl/status/status.h"

namespace signet::providers::pkcs11 {

// `rv` in words, with its name and the next step, after "prefix: ". Codes are those of
// providers/backend.h; CKR_OK gives an OK status.
absl::Status CkrStatus(const std::string& prefix, CK_RV rv);

// The session or the whole token is gone: only a new session helps.
bool IsLoss(CK_RV rv);
// Says so little that the session may be gone or not.
bool IsVague(CK_RV rv);

}  // namespace signet::providers::pkcs11

#endif  // SIGNET_PROVIDERS_PKCS11_CKR_H_
