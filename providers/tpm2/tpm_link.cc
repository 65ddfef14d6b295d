#include "providers/tpm2/tpm_link.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "providers/tpm2/tpm.h"

namespace signet::providers {

void TpmLink::Forget(const Tss2PrivateKey& key) {
  if (keys_) keys_->Forget(key);
}

absl::Status TpmLink::Error(std::string_view operation, const absl::Status& status) const {
  const bool ours_alone =
      IsConnectionLost(status) || IsNoRoom(status) || IsKeyGone(status) || IsPutOff(status);
  const absl::StatusCode code = ours_alone ? absl::StatusCode::kUnavailable : status.code();
  return absl::Status(code,
                      absl::StrCat(name_, ": ", std::string(operation), ": ", status.message()));
}

absl::Status TpmLink::Connect() {
  if (keys_) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<Tpm>> tpm = Tpm::Connect(tcti_);
  if (!tpm.ok()) return tpm.status();
  keys_.emplace(*std::move(tpm), std::exchange(left_behind_, {}));
  return absl::OkStatus();
}

absl::Status TpmLink::Reconnect() {
  left_behind_ = keys_->Abandon();
  keys_.reset();
  absl::Status status = Connect();
  if (status.ok()) keys_->tpm().Startup();
  return status;
}

}  // namespace signet::providers
