// What a TPM's or tpm2-tss's response code means to us.
#ifndef SIGNET_PROVIDERS_TPM2_TPM_ERROR_H_
#define SIGNET_PROVIDERS_TPM2_TPM_ERROR_H_

#include <tss2/tss2_common.h>

#include <string_view>

#include "absl/status/status.h"

namespace signet::providers {

// "TPM2_Load: integrity check failed; what to do next". Four kinds never leave this folder:
//   kAborted     the TPM was restarted or the connection is gone: connect again
//   kOutOfRange  no room for another object in the TPM: evict one
//   kDataLoss    what has the key's handle is not the key: load it again
//   kCancelled   the TPM is busy with itself and has done nothing: wait, and send it again
absl::Status TpmError(std::string_view command, TSS2_RC code);

inline bool IsConnectionLost(const absl::Status& status) { return absl::IsAborted(status); }
inline bool IsNoRoom(const absl::Status& status) { return absl::IsOutOfRange(status); }
inline bool IsKeyGone(const absl::Status& status) { return absl::IsDataLoss(status); }
inline bool IsPutOff(const absl::Status& status) { return absl::IsCancelled(status); }

// The TPM's own code without the number of the handle, session or parameter that it is about
// (TPM 2.0 Library part 2, section 6.6); 0 for a code of another layer.
TSS2_RC BaseCode(TSS2_RC code);

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_TPM2_TPM_ERROR_H_
