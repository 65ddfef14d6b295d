// Key management: everything public of a key is asked of OpenSSL's own key; nothing private exists.
#include <openssl/core_names.h>
#include <openssl/params.h>

#include <utility>

#include "providers/openssl/functions.h"
#include "providers/openssl/key.h"

namespace signet::openssl {
namespace {

KeyObject& Object(const void* key) { return *static_cast<KeyObject*>(const_cast<void*>(key)); }

template <const KeyType& kType>
void* New(void* provider) {
  return Guarded<void*>(*ContextOf(provider), nullptr, [&] {
    return new KeyObject{ContextOf(provider), &kType, nullptr};
  });
}

void Free(void* key) { delete static_cast<KeyObject*>(key); }

// Takes what a decoder or the store made.
void* Load(const void* reference, size_t size) {
  if (size != sizeof(KeyObject*)) return nullptr;
  auto** made = static_cast<KeyObject**>(const_cast<void*>(reference));
  return std::exchange(*made, nullptr);
}

int Has(const void* key, int selection) {
  if (key == nullptr || Object(key).key == nullptr) return 0;
  const bool wants_private = (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0;
  return !wants_private || !Object(key).key->identity.empty() ? 1 : 0;
}

int Match(const void* one, const void* other, int) {
  return Object(one).key != nullptr && Object(other).key != nullptr &&
                 EVP_PKEY_eq(Object(one).key->pkey.get(), Object(other).key->pkey.get()) == 1
             ? 1
             : 0;
}

int Import(void* key, int selection, const OSSL_PARAM params[]) {
  KeyObject& object = Object(key);
  return Guarded(*object.context, 0, [&] {
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
        EVP_PKEY_CTX_new_from_name(object.context->public_keys(), object.type->name, nullptr),
        EVP_PKEY_CTX_free);
    EVP_PKEY* made = nullptr;
    if (context == nullptr || (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) == 0 ||
        EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY,
                          const_cast<OSSL_PARAM*>(params)) != 1) {
      return 0;
    }
    object.key = std::make_shared<const Key>(Key{{}, {}, Pkey(made)});
    return 1;
  });
}

int Export(void* key, int selection, OSSL_CALLBACK* receive, void* argument) {
  // Quietly: OpenSSL tries this before it signs with the key where the key is.
  if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 || Object(key).key == nullptr) return 0;
  OSSL_PARAM* params = nullptr;
  if (EVP_PKEY_todata(Object(key).key->pkey.get(), EVP_PKEY_PUBLIC_KEY, &params) != 1) return 0;
  const int taken = receive(params, argument);
  OSSL_PARAM_free(params);
  return taken;
}

template <const KeyType& kType>
const OSSL_PARAM* Types(int selection) {
  static const OSSL_PARAM kEcTypes[] = {
      OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
      OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0), OSSL_PARAM_END};
  static const OSSL_PARAM kRsaTypes[] = {OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
                                         OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0),
                                         OSSL_PARAM_END};
  static const OSSL_PARAM kEdTypes[] = {
      OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0), OSSL_PARAM_END};
  if ((selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) == 0) return nullptr;
  return &kType == &kEc ? kEcTypes : &kType == &kRsa ? kRsaTypes : kEdTypes;
}

int GetParams(void* key, OSSL_PARAM params[]) {
  if (Object(key).key == nullptr) return 0;
  EVP_PKEY* pkey = Object(key).key->pkey.get();
  if (EVP_PKEY_get_params(pkey, params) != 1) return 0;
  // OpenSSL's own key would sign with SHA-256 on every curve.
  OSSL_PARAM* digest = OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_DEFAULT_DIGEST);
  const char* own = digest != nullptr ? DefaultDigest(pkey) : nullptr;
  return own == nullptr ? 1 : OSSL_PARAM_set_utf8_string(digest, own);
}

const OSSL_PARAM* GettableParams(void*) {
  static const OSSL_PARAM kParams[] = {
      OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
      OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
      OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
      OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
      OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, nullptr, 0),
      OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
      OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
      OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0),
      OSSL_PARAM_END};
  return kParams;
}

template <const KeyType& kType>
const char* OperationName(int operation) {
  return operation == OSSL_OP_SIGNATURE ? kType.signature : kType.name;
}

template <const KeyType& kType>
const OSSL_DISPATCH kFunctions[] = {
    {OSSL_FUNC_KEYMGMT_NEW, AsFunction(New<kType>)},
    {OSSL_FUNC_KEYMGMT_FREE, AsFunction(Free)},
    {OSSL_FUNC_KEYMGMT_LOAD, AsFunction(Load)},
    {OSSL_FUNC_KEYMGMT_HAS, AsFunction(Has)},
    {OSSL_FUNC_KEYMGMT_MATCH, AsFunction(Match)},
    {OSSL_FUNC_KEYMGMT_IMPORT, AsFunction(Import)},
    {OSSL_FUNC_KEYMGMT_IMPORT_TYPES, AsFunction(Types<kType>)},
    {OSSL_FUNC_KEYMGMT_EXPORT, AsFunction(Export)},
    {OSSL_FUNC_KEYMGMT_EXPORT_TYPES, AsFunction(Types<kType>)},
    {OSSL_FUNC_KEYMGMT_GET_PARAMS, AsFunction(GetParams)},
    {OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, AsFunction(GettableParams)},
    {OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, AsFunction(OperationName<kType>)},
    {0, nullptr}};

}  // namespace

const OSSL_ALGORITHM kKeyManagement[] = {
    {kEc.names, kProperties, kFunctions<kEc>, "EC key of signetd"},
    {kRsa.names, kProperties, kFunctions<kRsa>, "RSA key of signetd"},
    {kEd25519.names, kProperties, kFunctions<kEd25519>, "Ed25519 key of signetd"},
    {nullptr, nullptr, nullptr, nullptr}};

}  // namespace signet::openssl
