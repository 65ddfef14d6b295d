#include "providers/pkcs11/ckr.h"

#include "absl/strings/str_cat.h"

namespace signet::providers::pkcs11 {
namespace {

using absl::StatusCode;

struct Meaning {
  CK_RV rv;
  const char* name;
  StatusCode code;
  const char* text;  // what happened; what to do next
};

constexpr Meaning kMeanings[] = {
    {CKR_PIN_INCORRECT, "CKR_PIN_INCORRECT", StatusCode::kPermissionDenied,
     "wrong PIN, one try is spent; check it before the next"},
    {CKR_PIN_INVALID, "CKR_PIN_INVALID", StatusCode::kPermissionDenied,
     "the PIN has characters that the token does not take; check it before the next try"},
    {CKR_PIN_LEN_RANGE, "CKR_PIN_LEN_RANGE", StatusCode::kPermissionDenied,
     "the PIN is too short or too long for the token; check it before the next try"},
    {CKR_PIN_LOCKED, "CKR_PIN_LOCKED", StatusCode::kResourceExhausted,
     "the PIN is blocked; unblock it with the token's PUK or SO PIN and its own tool"},
    {CKR_PIN_EXPIRED, "CKR_PIN_EXPIRED", StatusCode::kResourceExhausted,
     "the PIN has expired; set a new one with the token's own tool"},
    {CKR_USER_PIN_NOT_INITIALIZED, "CKR_USER_PIN_NOT_INITIALIZED", StatusCode::kResourceExhausted,
     "the token has no user PIN yet; set one with the token's own tool"},
    {CKR_TOKEN_NOT_PRESENT, "CKR_TOKEN_NOT_PRESENT", StatusCode::kNotFound,
     "the token is not in its reader; insert it and try again"},
    {CKR_DEVICE_REMOVED, "CKR_DEVICE_REMOVED", StatusCode::kUnavailable,
     "the token was removed; insert it and try again"},
    {CKR_TOKEN_NOT_RECOGNIZED, "CKR_TOKEN_NOT_RECOGNIZED", StatusCode::kUnavailable,
     "the module does not know this kind of token; insert another one or configure its module"},
    {CKR_SESSION_HANDLE_INVALID, "CKR_SESSION_HANDLE_INVALID", StatusCode::kUnavailable,
     "the session with the token was lost; try again"},
    {CKR_SESSION_CLOSED, "CKR_SESSION_CLOSED", StatusCode::kUnavailable,
     "the session with the token was closed; try again"},
    {CKR_OPERATION_ACTIVE, "CKR_OPERATION_ACTIVE", StatusCode::kUnavailable,
     "the module has not ended an earlier call; try again"},
    {CKR_SESSION_COUNT, "CKR_SESSION_COUNT", StatusCode::kUnavailable,
     "the token has no session left; close other programs that use it"},
    {CKR_SLOT_ID_INVALID, "CKR_SLOT_ID_INVALID", StatusCode::kUnavailable,
     "the reader is gone; connect it and try again"},
    {CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR", StatusCode::kUnavailable,
     "the token or its reader failed; insert it again, then restart pcscd if that does not help"},
    {CKR_DEVICE_MEMORY, "CKR_DEVICE_MEMORY", StatusCode::kUnavailable,
     "the token is full; remove a key from it"},
    {CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR", StatusCode::kUnavailable,
     "the module failed and does not say why; insert the token again, then restart pcscd if that "
     "does not help"},
    {CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED", StatusCode::kUnavailable,
     "the module failed and does not say why; insert the token again and try once more"},
    {CKR_FUNCTION_CANCELED, "CKR_FUNCTION_CANCELED", StatusCode::kUnavailable,
     "cancelled at the reader; try again"},
    {CKR_HOST_MEMORY, "CKR_HOST_MEMORY", StatusCode::kUnavailable,
     "the module has no memory left; restart signetd"},
    {CKR_CRYPTOKI_NOT_INITIALIZED, "CKR_CRYPTOKI_NOT_INITIALIZED", StatusCode::kUnavailable,
     "the module was shut down; try again"},
    {CKR_TOKEN_WRITE_PROTECTED, "CKR_TOKEN_WRITE_PROTECTED", StatusCode::kUnimplemented,
     "the token can't be written to through this module; make the key with the token's own tool"},
    {CKR_SESSION_READ_ONLY, "CKR_SESSION_READ_ONLY", StatusCode::kUnimplemented,
     "the token can't be written to through this module; make the key with the token's own tool"},
    {CKR_MECHANISM_INVALID, "CKR_MECHANISM_INVALID", StatusCode::kUnimplemented,
     "the token can't do this algorithm; choose one that signet token list shows for it"},
    {CKR_CURVE_NOT_SUPPORTED, "CKR_CURVE_NOT_SUPPORTED", StatusCode::kUnimplemented,
     "the token can't do this curve; choose one that signet token list shows for it"},
    {CKR_FUNCTION_NOT_SUPPORTED, "CKR_FUNCTION_NOT_SUPPORTED", StatusCode::kUnimplemented,
     "the module can't do this; use the token's own tool"},
    {CKR_KEY_FUNCTION_NOT_PERMITTED, "CKR_KEY_FUNCTION_NOT_PERMITTED", StatusCode::kUnimplemented,
     "the token does not let this key sign; use a key made for signatures"},
    {CKR_ACTION_PROHIBITED, "CKR_ACTION_PROHIBITED", StatusCode::kUnimplemented,
     "the token does not allow this; use the token's own tool"},
    {CKR_KEY_HANDLE_INVALID, "CKR_KEY_HANDLE_INVALID", StatusCode::kNotFound,
     "the key is no longer on the token; make or import another one"},
    {CKR_OBJECT_HANDLE_INVALID, "CKR_OBJECT_HANDLE_INVALID", StatusCode::kNotFound,
     "the key is no longer on the token; make or import another one"},
};

}  // namespace

absl::Status CkrStatus(const std::string& prefix, CK_RV rv) {
  if (rv == CKR_OK) return absl::OkStatus();
  for (const Meaning& meaning : kMeanings) {
    if (meaning.rv != rv) continue;
    return absl::Status(meaning.code,
                        absl::StrCat(prefix, ": ", meaning.text, " (", meaning.name, ")"));
  }
  return absl::UnavailableError(absl::StrCat(
      prefix, ": the module failed with CKR 0x", absl::Hex(rv),
      "; insert the token again and try once more, or look this number up for the module"));
}

bool IsLoss(CK_RV rv) {
  return rv == CKR_SESSION_HANDLE_INVALID || rv == CKR_SESSION_CLOSED ||
         rv == CKR_TOKEN_NOT_PRESENT || rv == CKR_TOKEN_NOT_RECOGNIZED ||
         rv == CKR_DEVICE_REMOVED || rv == CKR_SLOT_ID_INVALID ||
         rv == CKR_CRYPTOKI_NOT_INITIALIZED || rv == CKR_OPERATION_ACTIVE;
}

bool IsVague(CK_RV rv) {
  return rv == CKR_DEVICE_ERROR || rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED ||
         rv == CKR_HOST_MEMORY;
}

}  // namespace signet::providers::pkcs11
