// For PKCS#11 modules of tests that stand before a real one: its functions, and their names.
#ifndef SIGNET_TESTS_SUPPORT_WRAPPED_MODULE_H_
#define SIGNET_TESTS_SUPPORT_WRAPPED_MODULE_H_

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

namespace signet::test {

// Null if there is none at `path`. Never unloaded.
inline CK_FUNCTION_LIST* LoadModule(const char* path) {
  void* library = path == nullptr ? nullptr : dlopen(path, RTLD_NOW);
  if (library == nullptr) return nullptr;
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST* functions = nullptr;
  return get != nullptr && get(&functions) == CKR_OK ? functions : nullptr;
}

}  // namespace signet::test

// clang-format off
#define SIGNET_EACH_PKCS11_FUNCTION(DO) \
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

#endif  // SIGNET_TESTS_SUPPORT_WRAPPED_MODULE_H_
