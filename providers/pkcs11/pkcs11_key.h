// A key pair on a token.
#ifndef SIGNET_PROVIDERS_PKCS11_PKCS11_KEY_H_
#define SIGNET_PROVIDERS_PKCS11_PKCS11_KEY_H_

#include <p11-kit/pkcs11.h>

#include <utility>
#include <vector>

#include "providers/backend.h"
#include "providers/pkcs11/key_lookup.h"
#include "providers/pkcs11/token.h"

namespace signet::providers::pkcs11 {

// Two PKCS#11 calls per signature, and two more for a key that wants the PIN each time; the first
// after an unlock or a lost session also finds the key.
class Pkcs11Key : public Key {
 public:
  // The token outlives it.
  Pkcs11Key(Token& token, KeyUri uri, PublicKey public_key)
      : token_(token), uri_(std::move(uri)), public_key_(std::move(public_key)) {
    for (const SigningScheme* scheme : public_key_.schemes) schemes_.push_back(scheme->scheme);
  }

  const wire::Bytes& public_key() const override { return public_key_.info; }
  const std::vector<wire::SignatureScheme>& schemes() const override { return schemes_; }
  absl::StatusOr<wire::Bytes> SignSlowly(wire::SignatureScheme scheme,
                                         wire::BytesView message) override;

 private:
  CK_RV Sign(const Module& module, CK_SESSION_HANDLE session, const SigningScheme& scheme,
             wire::BytesView input, bool* old_tries, absl::StatusOr<wire::Bytes>& raw);
  CK_RV SignOnce(const Module& module, CK_SESSION_HANDLE session, const SigningScheme& scheme,
                 wire::BytesView input, absl::StatusOr<wire::Bytes>& raw);

  Token& token_;
  const KeyUri uri_;
  const PublicKey public_key_;
  std::vector<wire::SignatureScheme> schemes_;  // of public_key_
  PrivateKey private_key_;
  uint64_t generation_ = 0;  // of the token, when `private_key_` was found
};

}  // namespace signet::providers::pkcs11

#endif  // SIGNET_PROVIDERS_PKCS11_PKCS11_KEY_H_
