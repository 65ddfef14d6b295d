#include "providers/tpm2/tpm_error.h"

#include <tss2/tss2_rc.h>
#include <tss2/tss2_tpm2_types.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace signet::providers {
namespace {

using absl::StatusCode;

struct Meaning {
  TSS2_RC code;
  StatusCode status;
  const char* next;
};

constexpr char kConnectAgain[] = "is the TPM there, and the backend's tcti right?";
constexpr char kOwnerPassword[] =
    "Signet uses the owner hierarchy, parents and keys without passwords: make a persistent parent "
    "and set it as the backend's parent";

constexpr char kBusy[] = "the TPM is busy with itself: try again in a minute";

constexpr char kFull[] =
    "other programs fill the TPM: use a resource manager (tcti device:/dev/tpmrm0), or, if nothing "
    "else uses it now, empty it with tpm2_flushcontext -t";

constexpr char kFullOfSessions[] =
    "other programs' sessions fill the TPM: use a resource manager (tcti device:/dev/tpmrm0), or, "
    "if nothing else uses it now, empty it with tpm2_flushcontext -l";

constexpr Meaning kMeanings[] = {
    {TPM2_RC_OBJECT_MEMORY, StatusCode::kOutOfRange, kFull},
    {TPM2_RC_OBJECT_HANDLES, StatusCode::kOutOfRange, kFull},
    {TPM2_RC_SESSION_MEMORY, StatusCode::kUnavailable, kFullOfSessions},
    {TPM2_RC_SESSION_HANDLES, StatusCode::kUnavailable, kFullOfSessions},
    {TPM2_RC_INITIALIZE, StatusCode::kAborted, kConnectAgain},
    {TPM2_RC_HANDLE, StatusCode::kAborted, kConnectAgain},
    {TPM2_RC_REFERENCE_H0, StatusCode::kAborted, kConnectAgain},
    {TPM2_RC_REFERENCE_H1, StatusCode::kAborted, kConnectAgain},
    {TPM2_RC_RETRY, StatusCode::kCancelled, kBusy},
    {TPM2_RC_YIELDED, StatusCode::kCancelled, kBusy},
    {TPM2_RC_TESTING, StatusCode::kCancelled, kBusy},
    {TPM2_RC_NV_RATE, StatusCode::kCancelled, kBusy},
    {TPM2_RC_LOCKOUT, StatusCode::kResourceExhausted,
     "the TPM is in lockout: wait for it to recover, or tpm2_dictionarylockout --clear-lockout"},
    {TPM2_RC_AUTH_FAIL, StatusCode::kFailedPrecondition, kOwnerPassword},
    {TPM2_RC_BAD_AUTH, StatusCode::kFailedPrecondition, kOwnerPassword},
    {TPM2_RC_AUTH_UNAVAILABLE, StatusCode::kFailedPrecondition, kOwnerPassword},
    {TPM2_RC_INTEGRITY, StatusCode::kInvalidArgument,
     "the key is another TPM's or parent's, or this TPM was cleared: create a new one"},
    {TPM2_RC_FAILURE, StatusCode::kUnavailable,
     "the TPM is in failure mode: switch the machine off and on"},
};

}  // namespace

TSS2_RC BaseCode(TSS2_RC code) {
  // Resource managers answer in the TPM's place, with its codes.
  const TSS2_RC layer = code & TSS2_RC_LAYER_MASK;
  if (layer != TSS2_TPM_RC_LAYER && layer != TSS2_RESMGR_TPM_RC_LAYER &&
      layer != TSS2_RESMGR_RC_LAYER) {
    return 0;
  }
  code &= ~TSS2_RC_LAYER_MASK;
  return (code & TPM2_RC_FMT1) != 0 ? code & (TPM2_RC_FMT1 | 0x3f) : code;
}

absl::Status TpmError(std::string_view command, TSS2_RC code) {
  const TSS2_RC base = BaseCode(code);
  const auto status = [&](StatusCode status_code, const char* next) {
    return absl::Status(status_code, absl::StrCat(std::string(command), ": ", Tss2_RC_Decode(code),
                                                  " (0x", absl::Hex(code), "); ", next));
  };
  // Not the TPM's word: something between it and us.
  if (base == 0) return status(StatusCode::kAborted, kConnectAgain);
  for (const Meaning& meaning : kMeanings) {
    if (meaning.code == base) return status(meaning.status, meaning.next);
  }
  return status(StatusCode::kUnavailable, "try again; if it stays so, restart the TPM");
}

}  // namespace signet::providers
