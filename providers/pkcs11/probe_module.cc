#include "providers/pkcs11/probe_module.h"

#include <dlfcn.h>

namespace signet::providers::pkcs11 {
namespace {

CK_FUNCTION_LIST* real = nullptr;
CK_FUNCTION_LIST list;

// Puts a counting function in the place of the real one.
template <auto kMember, typename... Args>
void Wrap(const char* function_name, CK_RV (*)(Args...)) {
  static const char* name;
  name = function_name;
  list.*kMember = [](Args... args) -> CK_RV {
    Probe::Function& function = TheProbe().functions[name];
    ++function.calls;
    if (function.when_called) function.when_called();
    if (function.failures > 0) {
      --function.failures;
      return function.failure;
    }
    return (real->*kMember)(args...);
  };
}

CK_RV TokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
  ++TheProbe().functions["C_GetTokenInfo"].calls;
  const CK_RV rv = real->C_GetTokenInfo(slot, info);
  if (rv == CKR_OK) info->flags |= TheProbe().token_flags;
  return rv;
}

}  // namespace

Probe& TheProbe() {
  static Probe probe;
  return probe;
}

}  // namespace signet::providers::pkcs11

extern "C" CK_RV C_GetFunctionList(CK_FUNCTION_LIST** functions) {
  using signet::providers::pkcs11::list;
  using signet::providers::pkcs11::real;
  using signet::providers::pkcs11::Wrap;
  void* library = dlopen(signet::providers::pkcs11::TheProbe().real_module.c_str(), RTLD_NOW);
  if (library == nullptr) return CKR_GENERAL_ERROR;
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  if (const CK_RV rv = get(&real); rv != CKR_OK) return rv;

  list = *real;
  list.C_GetTokenInfo = signet::providers::pkcs11::TokenInfo;
#define WRAP(name) Wrap<&CK_FUNCTION_LIST::name>(#name, list.name)
  WRAP(C_Initialize);
  WRAP(C_Finalize);
  WRAP(C_GetSlotList);
  WRAP(C_GetMechanismInfo);
  WRAP(C_OpenSession);
  WRAP(C_CloseSession);
  WRAP(C_GetSessionInfo);
  WRAP(C_Login);
  WRAP(C_Logout);
  WRAP(C_FindObjectsInit);
  WRAP(C_FindObjects);
  WRAP(C_FindObjectsFinal);
  WRAP(C_GetAttributeValue);
  WRAP(C_GenerateKeyPair);
  WRAP(C_DestroyObject);
  WRAP(C_SignInit);
  WRAP(C_Sign);
#undef WRAP
  *functions = &list;
  return CKR_OK;
}
