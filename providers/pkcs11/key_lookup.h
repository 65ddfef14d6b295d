// From a URI to the one key pair that it means.
#ifndef SIGNET_PROVIDERS_PKCS11_KEY_LOOKUP_H_
#define SIGNET_PROVIDERS_PKCS11_KEY_LOOKUP_H_

#include <p11-kit/pkcs11.h>

#include <string>

#include "absl/status/statusor.h"
#include "providers/pkcs11/key_uri.h"
#include "providers/pkcs11/module.h"
#include "providers/pkcs11/public_key.h"

namespace signet::providers::pkcs11 {

// For use inside Token::Run: the return value says whether the calls to the module worked; if they
// did, `result` holds the key or why there is none (prefix first):
//   kNotFound         no such key
//   kUnimplemented    there is one, of a kind that this backend can't use
//   kInvalidArgument  there are several
// Keys of kinds that we can't use, even with the same id, do not get in the way.
CK_RV FindPublicKey(const Module& module, CK_SESSION_HANDLE session, const std::string& prefix,
                    const KeyUri& uri, absl::StatusOr<PublicKey>& result);

struct PrivateKey {
  CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
  bool asks_each_time = false;  // for the PIN (CKA_ALWAYS_AUTHENTICATE)
};

// On a locked token private keys are invisible: log in first.
CK_RV FindPrivateKey(const Module& module, CK_SESSION_HANDLE session, const std::string& prefix,
                     const KeyUri& uri, CK_KEY_TYPE type, absl::StatusOr<PrivateKey>& result);

}  // namespace signet::providers::pkcs11

#endif  // SIGNET_PROVIDERS_PKCS11_KEY_LOOKUP_H_
