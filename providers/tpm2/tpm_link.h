// The way to a TPM that may be absent, restarted or unplugged: connects when first used, and again
// when what it had is lost.
#ifndef SIGNET_PROVIDERS_TPM2_TPM_LINK_H_
#define SIGNET_PROVIDERS_TPM2_TPM_LINK_H_

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "providers/tpm2/loaded_keys.h"
#include "providers/tpm2/tpm_error.h"

namespace signet::providers {

class TpmLink {
 public:
  TpmLink(std::string name, std::string tcti) : name_(std::move(name)), tcti_(std::move(tcti)) {}

  // Calls `use` with a connection; if that turns out lost, once more with a new one; and some more
  // times, for up to 2.5 s, as long as the TPM puts it off. Returns what it gives, or an error for
  // the outside: "name: operation: what happened; what to do next".
  template <typename T>
  absl::StatusOr<T> Run(std::string_view operation,
                        absl::FunctionRef<absl::StatusOr<T>(LoadedKeys&)> use);

  // The key is about to die. Sends a command if it was loaded.
  void Forget(const Tss2PrivateKey& key);

  // Ends the connection, if there is one, until the next Run: nothing is left in the TPM, and
  // tpm2-tss gives back the memory that knows of a PIN. Not in Run.
  void Disconnect() { keys_.reset(); }

  absl::Status Error(std::string_view operation, const absl::Status& status) const;
  const std::string& name() const { return name_; }

 private:
  // ESYS itself repeats what is put off, but at once; a self-test takes a second.
  static constexpr std::chrono::milliseconds kFirstWait{20};
  static constexpr std::chrono::milliseconds kLongestWait{1280};

  template <typename T>
  absl::StatusOr<T> UsePatiently(absl::FunctionRef<absl::StatusOr<T>(LoadedKeys&)> use);
  absl::Status Connect();    // if there is no connection yet
  absl::Status Reconnect();  // and starts a TPM that waits for it

  const std::string name_;
  const std::string tcti_;
  std::optional<LoadedKeys> keys_;           // of the connection, if there is one
  std::vector<Tss2PrivateKey> left_behind_;  // of the one before, while there is none
};

template <typename T>
absl::StatusOr<T> TpmLink::UsePatiently(absl::FunctionRef<absl::StatusOr<T>(LoadedKeys&)> use) {
  absl::StatusOr<T> result = use(*keys_);
  for (auto wait = kFirstWait; IsPutOff(result.status()) && wait <= kLongestWait; wait *= 2) {
    std::this_thread::sleep_for(wait);
    result = use(*keys_);
  }
  return result;
}

template <typename T>
absl::StatusOr<T> TpmLink::Run(std::string_view operation,
                               absl::FunctionRef<absl::StatusOr<T>(LoadedKeys&)> use) {
  if (absl::Status status = Connect(); !status.ok()) return Error(operation, status);
  absl::StatusOr<T> result = UsePatiently<T>(use);
  if (IsConnectionLost(result.status())) {
    if (absl::Status status = Reconnect(); !status.ok()) return Error(operation, status);
    result = UsePatiently<T>(use);
  }
  if (!result.ok()) return Error(operation, result.status());
  return result;
}

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_TPM2_TPM_LINK_H_
