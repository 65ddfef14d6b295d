// backend.proto's calls on one Backend.
#ifndef SIGNET_PROVIDERS_HOST_BACKEND_SERVICE_H_
#define SIGNET_PROVIDERS_HOST_BACKEND_SERVICE_H_

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ipc/backend.pb.h"
#include "ipc/transport/descriptor.h"
#include "providers/backend.h"
#include "providers/host/alarm_clock.h"
#include "providers/host/key_cache.h"
#include "providers/host/pin_lifetime.h"

namespace signet::providers {

// Owns the backend and the keys that are open, and keeps the token unlocked for no longer than the
// limits say. One thread; calls block on hardware.
class BackendService {
 public:
  // The clock outlives it; its alarm goes off when LockIfDueSlowly is to be called.
  BackendService(std::unique_ptr<Backend> backend, PinLifetime::Limits limits, AlarmClock& clock)
      : backend_(std::move(backend)), keys_(*backend_), lifetime_(limits), clock_(clock) {}

  // The answer to any call but configure; a failed one is an Error with the absl::StatusCode.
  // `descriptor` came with the request: the PIN's pipe for unlock.
  backend::v1::BackendResponse AnswerSlowly(const backend::v1::BackendRequest& request,
                                            std::optional<ipc::Descriptor> descriptor);
  // The answer to configure.
  absl::StatusOr<backend::v1::TokenInfo> DescribeSlowly();
  // Logs out of the token.
  void LockSlowly();
  // The same if it was unlocked for long enough.
  void LockIfDueSlowly();

 private:
  absl::Status CallSlowly(const backend::v1::BackendRequest& request,
                          std::optional<ipc::Descriptor> descriptor,
                          backend::v1::BackendResponse& response);
  absl::StatusOr<backend::v1::CreateKeyResponse> CreateKey(
      const backend::v1::CreateKeyRequest& request);
  absl::StatusOr<backend::v1::DescribeKeyResponse> DescribeKey(
      const backend::v1::DescribeKeyRequest& request);
  absl::StatusOr<backend::v1::SignResponse> Sign(const backend::v1::SignRequest& request);
  absl::Status RemoveKey(const backend::v1::RemoveKeyRequest& request);
  absl::StatusOr<backend::v1::ListKeysResponse> ListKeys();
  absl::StatusOr<backend::v1::LookResponse> Look();
  absl::Status Unlock(const backend::v1::UnlockRequest& request,
                      std::optional<ipc::Descriptor> pin_pipe);

  const std::unique_ptr<Backend> backend_;
  KeyCache keys_;
  PinLifetime lifetime_;
  AlarmClock& clock_;
};

// A status as it travels.
backend::v1::Error ToError(const absl::Status& status);

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_HOST_BACKEND_SERVICE_H_
