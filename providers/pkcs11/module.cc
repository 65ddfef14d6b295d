#include "providers/pkcs11/module.h"

#include <dlfcn.h>

#include "absl/strings/str_cat.h"
#include "providers/pkcs11/ckr.h"

namespace signet::providers::pkcs11 {
namespace {

// Without arguments: this process calls from one thread and wants no locks in the module.
CK_RV Initialize(const CK_FUNCTION_LIST& functions) {
  const CK_RV rv = functions.C_Initialize(nullptr);
  return rv == CKR_CRYPTOKI_ALREADY_INITIALIZED ? CKR_OK : rv;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Module>> Module::Load(const std::string& prefix,
                                                     const std::string& path) {
  const std::string thing = absl::StrCat(prefix, ": PKCS#11 module \"", path, "\"");
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return absl::UnavailableError(absl::StrCat(
        thing, ": ", dlerror(), "; install it or correct `module` in the configuration"));
  }
  const auto get_function_list =
      reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST* functions = nullptr;
  if (get_function_list == nullptr || get_function_list(&functions) != CKR_OK ||
      functions == nullptr) {
    dlclose(library);
    return absl::UnavailableError(
        absl::StrCat(thing, ": is not a PKCS#11 module; correct `module` in the configuration"));
  }
  if (const CK_RV rv = Initialize(*functions); rv != CKR_OK) return CkrStatus(thing, rv);
  return std::unique_ptr<Module>(new Module(functions));
}

Module::~Module() { functions_->C_Finalize(nullptr); }

CK_RV Module::Restart() {
  functions_->C_Finalize(nullptr);
  return Initialize(*functions_);
}

}  // namespace signet::providers::pkcs11
