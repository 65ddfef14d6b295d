// Where OpenSSL comes in: the one symbol of signet.so.
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "providers/openssl/context.h"
#include "providers/openssl/functions.h"

namespace signet::openssl {
namespace {

const OSSL_ALGORITHM* Query(void*, int operation, int* no_cache) {
  *no_cache = 0;
  switch (operation) {
    case OSSL_OP_KEYMGMT:
      return kKeyManagement;
    case OSSL_OP_SIGNATURE:
      return kSignatures;
    case OSSL_OP_DECODER:
      return kDecoders;
    case OSSL_OP_STORE:
      return kStores;
    default:
      return nullptr;
  }
}

const OSSL_PARAM* GettableParams(void*) {
  static const OSSL_PARAM kParams[] = {OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_NAME, nullptr, 0),
                                       OSSL_PARAM_int(OSSL_PROV_PARAM_STATUS, nullptr),
                                       OSSL_PARAM_END};
  return kParams;
}

int GetParams(void*, OSSL_PARAM params[]) {
  OSSL_PARAM* name = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_NAME);
  if (name != nullptr && OSSL_PARAM_set_utf8_ptr(name, "Signet") != 1) return 0;
  OSSL_PARAM* status = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);
  return status == nullptr ? 1 : OSSL_PARAM_set_int(status, 1);
}

void Teardown(void* provider) { delete static_cast<ContextPointer*>(provider); }

const OSSL_DISPATCH kFunctions[] = {
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, AsFunction(Query)},
    {OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, AsFunction(GettableParams)},
    {OSSL_FUNC_PROVIDER_GET_PARAMS, AsFunction(GetParams)},
    {OSSL_FUNC_PROVIDER_TEARDOWN, AsFunction(Teardown)},
    {0, nullptr}};

}  // namespace
}  // namespace signet::openssl

extern "C" __attribute__((visibility("default"))) int OSSL_provider_init(
    const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* in, const OSSL_DISPATCH** out,
    void** provider) {
  using namespace signet::openssl;
  try {
    *provider = new ContextPointer(std::make_shared<const Context>(core, in));
  } catch (...) {
    return 0;
  }
  *out = kFunctions;
  return 1;
}
