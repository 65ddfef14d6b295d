#include "providers/openssl/key.h"

#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include <cstring>

namespace signet::openssl {

std::shared_ptr<const Key> MakeKey(const Context& context, std::string identity, Bytes public_key) {
  const uint8_t* next = public_key.data();
  Pkey pkey(d2i_PUBKEY_ex(nullptr, &next, static_cast<long>(public_key.size()),
                          context.public_keys(), nullptr));
  if (pkey == nullptr || next != public_key.data() + public_key.size()) {
    throw Failure("signet: identity \"" + identity + "\": its public key can't be read");
  }
  auto key =
      std::make_shared<Key>(Key{std::move(identity), std::move(public_key), std::move(pkey)});
  if (TypeOf(*key) == nullptr) {
    throw Failure(
        "signet: identity \"" + key->identity +
        "\": this provider has no algorithm for its key; use P-256, P-384, P-521, RSA or Ed25519");
  }
  return key;
}

const KeyType* TypeOf(const Key& key) {
  for (const KeyType* type : {&kEc, &kRsa, &kEd25519}) {
    if (EVP_PKEY_is_a(key.pkey.get(), type->name) == 1) return type;
  }
  return nullptr;
}

int GiveKey(const ContextPointer& context, std::shared_ptr<const Key> key, OSSL_CALLBACK* receive,
            void* argument) {
  const KeyType* of = TypeOf(*key);
  auto object = std::make_unique<KeyObject>(KeyObject{context, of, std::move(key)});
  KeyObject* reference = object.get();
  int type = OSSL_OBJECT_PKEY;
  char* name = const_cast<char*>(of->name);
  const OSSL_PARAM params[] = {
      OSSL_PARAM_int(OSSL_OBJECT_PARAM_TYPE, &type),
      OSSL_PARAM_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, name, std::strlen(name)),
      OSSL_PARAM_octet_string(OSSL_OBJECT_PARAM_REFERENCE, &reference, sizeof(void*)),
      OSSL_PARAM_END};
  const int taken = receive(params, argument);
  if (reference == nullptr) (void)object.release();  // key management has it now
  return taken;
}

}  // namespace signet::openssl
