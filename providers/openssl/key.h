// A key: a reference to one that the agent holds, or the public part of any.
#ifndef SIGNET_PROVIDERS_OPENSSL_KEY_H_
#define SIGNET_PROVIDERS_OPENSSL_KEY_H_

#include <memory>
#include <string>
#include <vector>

#include "providers/openssl/algorithm.h"
#include "providers/openssl/context.h"

namespace signet::openssl {

using Bytes = std::vector<uint8_t>;

// Immutable; any thread.
struct Key {
  std::string identity;  // of the agent; empty: only the public part is here
  Bytes public_key;      // SubjectPublicKeyInfo; empty when it was imported
  Pkey pkey;             // the same, of OpenSSL's own provider
};

// Throws Failure when the bytes are no public key of a type that the provider has.
std::shared_ptr<const Key> MakeKey(const Context& context, std::string identity, Bytes public_key);
// Null when the key is of none of the types.
const KeyType* TypeOf(const Key& key);

// What OpenSSL holds as key data.
struct KeyObject {
  ContextPointer context;
  const KeyType* type;
  std::shared_ptr<const Key> key;  // null until it is imported; shared with what signs
};

// Gives a key that a decoder or the store has found to OpenSSL, which takes it with key
// management's load. What the receiver said.
int GiveKey(const ContextPointer& context, std::shared_ptr<const Key> key, OSSL_CALLBACK* receive,
            void* argument);

// What `signet identity reference` writes, the DER in a PEM of type SIGNET PRIVATE KEY: SEQUENCE {
// UTF8String name of the identity, SubjectPublicKeyInfo }. No secret is in it. Null for other DER.
std::shared_ptr<const Key> ReadReference(const Context& context, const Bytes& der);

}  // namespace signet::openssl

#endif  // SIGNET_PROVIDERS_OPENSSL_KEY_H_
