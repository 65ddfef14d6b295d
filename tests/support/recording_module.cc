// A PKCS#11 module for tests: passes everything on to the module PKCS11_RECORDED, and appends the
// name of each function called to the file PKCS11_RECORDING, a line each.
#include <dlfcn.h>
#include <fcntl.h>
#include <p11-kit/pkcs11.h>

#include <cstdio>
#include <cstdlib>

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

// clang-format off
#define EACH_FUNCTION(DO) \
  DO(C_Initialize) DO(C_Finalize) DO(C_GetInfo) DO(C_GetSlotList) DO(C_GetSlotInfo) \
  DO(C_GetTokenInfo) DO(C_GetMechanismList) DO(C_GetMechanismInfo) DO(C_InitToken) DO(C_InitPIN) \
  DO(C_SetPIN) DO(C_OpenSession) DO(C_CloseSession) DO(C_CloseAllSessions) DO(C_GetSessionInfo) \
  DO(C_GetOperationState) DO(C_SetOperationState) DO(C_Login) DO(C_Logout) DO(C_CreateObject) \
  DO(C_CopyObject) DO(C_DestroyObject) DO(C_GetObjectSize) DO(C_GetAttributeValue) \
  DO(C_SetAttributeValue) DO(C_FindObjectsInit) DO(C_FindObjects) DO(C_FindObjectsFinal) \
  DO(C_EncryptInit) DO(C_Encrypt) DO(C_EncryptUpdate) DO(C_EncryptFinal) DO(C_DecryptInit) \
  DO(C_Decrypt) DO(C_DecryptUpdate) DO(C_DecryptFinal) DO(C_DigestInit) DO(C_Digest) \
  DO(C_DigestUpdate) DO(C_DigestKey) DO(C_DigestFinal) DO(C_SignInit) DO(C_Sign) DO(C_SignUpdate) \
  DO(C_SignFinal) DO(C_SignRecoverInit) DO(C_SignRecover) DO(C_VerifyInit) DO(C_Verify) \
  DO(C_VerifyUpdate) DO(C_VerifyFinal) DO(C_VerifyRecoverInit) DO(C_VerifyRecover) \
  DO(C_DigestEncryptUpdate) DO(C_DecryptDigestUpdate) DO(C_SignEncryptUpdate) \
  DO(C_DecryptVerifyUpdate) DO(C_GenerateKey) DO(C_GenerateKeyPair) DO(C_WrapKey) DO(C_UnwrapKey) \
  DO(C_DeriveKey) DO(C_SeedRandom) DO(C_GenerateRandom) DO(C_GetFunctionStatus) \
  DO(C_CancelFunction) DO(C_WaitForSlotEvent)
// clang-format on

}  // namespace

extern "C" CK_RV C_GetFunctionList(CK_FUNCTION_LIST** functions) {
  const char* module = getenv("PKCS11_RECORDED");
  const char* recording = getenv("PKCS11_RECORDING");
  if (module == nullptr || recording == nullptr) return CKR_GENERAL_ERROR;
  void* library = dlopen(module, RTLD_NOW);
  if (library == nullptr) return CKR_GENERAL_ERROR;
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  if (const CK_RV rv = get(&real); rv != CKR_OK) return rv;
  if (file < 0) file = open(recording, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

  list = *real;
#define RECORD(name) Record<&CK_FUNCTION_LIST::name>(#name, real->name);
  EACH_FUNCTION(RECORD)
#undef RECORD
  *functions = &list;
  return CKR_OK;
}
