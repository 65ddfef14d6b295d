// A PKCS#11 module for tests: passes everything on to the module PKCS11_FAULTY, but for the calls
// to which the fault script PKCS11_FAULTS does something (fault_script.h). A call that is told to
// fail returns its code and does nothing else.
#include <cstdlib>

#include "tests/support/fault_script.h"
#include "tests/support/wrapped_module.h"

namespace {

CK_FUNCTION_LIST* real = nullptr;
CK_FUNCTION_LIST list;

template <auto kMember, typename... Args>
void Wrap(const char* function_name, CK_RV (*)(Args...)) {
  static const char* name;
  name = function_name;
  list.*kMember = [](Args... args) -> CK_RV {
    if (const auto fault = signet::test::TakeFault(getenv("PKCS11_FAULTS"), name)) {
      return fault->value;
    }
    return (real->*kMember)(args...);
  };
}

}  // namespace

extern "C" CK_RV C_GetFunctionList(CK_FUNCTION_LIST** functions) {
  real = signet::test::LoadModule(getenv("PKCS11_FAULTY"));
  if (real == nullptr) return CKR_GENERAL_ERROR;
  list = *real;
#define WRAP(name) Wrap<&CK_FUNCTION_LIST::name>(#name, real->name);
  SIGNET_EACH_PKCS11_FUNCTION(WRAP)
#undef WRAP
  *functions = &list;
  return CKR_OK;
}
