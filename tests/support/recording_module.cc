// A PKCS#11 module for tests: passes everything on to the module PKCS11_RECORDED, and appends the
// name of each function called to the file PKCS11_RECORDING, a line each.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "tests/support/wrapped_module.h"

namespace {

CK_FUNCTION_LIST* real = nullptr;
CK_FUNCTION_LIST list;
int file = -1;

template <auto kMember, typename... Args>
void Record(const char* function_name, CK_RV (*)(Args...)) {
  static const char* name;
  name = function_name;
  list.*kMember = [](Args... args) -> CK_RV {
    dprintf(file, "%s\n", name);
    return (real->*kMember)(args...);
  };
}

}  // namespace

extern "C" CK_RV C_GetFunctionList(CK_FUNCTION_LIST** functions) {
  const char* recording = getenv("PKCS11_RECORDING");
  real = signet::test::LoadModule(getenv("PKCS11_RECORDED"));
  if (real == nullptr || recording == nullptr) return CKR_GENERAL_ERROR;
  if (file >= 0) close(file);
  file = open(recording, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

  list = *real;
#define RECORD(name) Record<&CK_FUNCTION_LIST::name>(#name, real->name);
  SIGNET_EACH_PKCS11_FUNCTION(RECORD)
#undef RECORD
  *functions = &list;
  return CKR_OK;
}
