// The kinds of key pairs that tokens make.
#ifndef SIGNET_PROVIDERS_PKCS11_KEY_TYPE_H_
#define SIGNET_PROVIDERS_PKCS11_KEY_TYPE_H_

#include <p11-kit/pkcs11.h>

#include <span>
#include <string_view>

#include "ipc/wire/bytes.h"
#include "providers/key_algorithm.h"
#include "providers/pkcs11/module.h"

namespace signet::providers::pkcs11 {

struct KeyType {
  KeyAlgorithm algorithm;
  CK_MECHANISM_TYPE generation;
  CK_MECHANISM_TYPE signing;
  CK_ULONG bits;                  // as the mechanisms count them; 0: they have one size
  wire::BytesView ec_parameters;  // CKA_EC_PARAMS, DER; empty for RSA
};

// Static storage.
std::span<const KeyType> AllKeyTypes();
const KeyType* FindKeyType(KeyAlgorithm algorithm);  // null: none of ours

// Does the token make and use such keys?
CK_RV HasKeyType(const Module& module, CK_SLOT_ID slot, const KeyType& type, bool& has);

struct KeyPair {
  CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE private_key = CK_INVALID_HANDLE;
};

// On the token; the private key never leaves it.
CK_RV GenerateKeyPair(const Module& module, CK_SESSION_HANDLE session, const KeyType& type,
                      std::string_view label, wire::BytesView id, KeyPair& pair);

}  // namespace signet::providers::pkcs11

#endif  // SIGNET_PROVIDERS_PKCS11_KEY_TYPE_H_
