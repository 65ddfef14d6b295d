// A PKCS#11 module for tests: passes everything on to the module PKCS11_PIN_PAD, whose tokens it
// gives a PIN pad (CKF_PROTECTED_AUTHENTICATION_PATH). A login without a PIN is one at the pad,
// where PKCS11_PIN_PAD_ENTERS is entered; one that brings a PIN fails, as PKCS#11 has it.
#include <cstdlib>
#include <cstring>

#include "tests/support/wrapped_module.h"

namespace {

CK_FUNCTION_LIST* real = nullptr;
CK_FUNCTION_LIST list;

CK_RV TokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
  const CK_RV rv = real->C_GetTokenInfo(slot, info);
  if (rv == CKR_OK) info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
  return rv;
}

CK_RV Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR* pin, CK_ULONG size) {
  if (pin != nullptr || size != 0) return CKR_ARGUMENTS_BAD;
  char* entered = getenv("PKCS11_PIN_PAD_ENTERS");
  return real->C_Login(session, user, reinterpret_cast<CK_UTF8CHAR*>(entered), strlen(entered));
}

}  // namespace

extern "C" CK_RV C_GetFunctionList(CK_FUNCTION_LIST** functions) {
  real = signet::test::LoadModule(getenv("PKCS11_PIN_PAD"));
  if (real == nullptr) return CKR_GENERAL_ERROR;
  list = *real;
  list.C_GetTokenInfo = TokenInfo;
  list.C_Login = Login;
  *functions = &list;
  return CKR_OK;
}
