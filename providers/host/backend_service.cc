#include "providers/host/backend_service.h"

#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace signet::providers {
namespace {

using backend::v1::BackendRequest;
using backend::v1::BackendResponse;

// A client writes its PIN and closes the pipe before or just after it sends the request; one that
// does not must not keep the token from everybody else.
constexpr std::chrono::milliseconds kPinPatience{1000};

// Well within the 256 KiB that a message may have.
constexpr size_t kMostListed = 192 * 1024;

wire::BytesView View(const std::string& bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}

std::string ToString(wire::BytesView bytes) { return std::string(bytes.begin(), bytes.end()); }

backend::v1::PinTries ToMessage(PinTries tries) {
  switch (tries) {
    case PinTries::kUnknown:
      break;
    case PinTries::kAll:
      return backend::v1::PIN_TRIES_ALL;
    case PinTries::kFew:
      return backend::v1::PIN_TRIES_FEW;
    case PinTries::kLast:
      return backend::v1::PIN_TRIES_LAST;
    case PinTries::kBlocked:
      return backend::v1::PIN_TRIES_BLOCKED;
  }
  return backend::v1::PIN_TRIES_UNKNOWN;
}

// Once every writer has closed the pipe, reading it to its end can't block.
absl::Status WaitUntilWritten(int pipe) {
  struct stat status;
  if (fstat(pipe, &status) != 0 || !S_ISFIFO(status.st_mode)) {
    return absl::InvalidArgumentError("unlock: the PIN must come through a pipe; no try was spent");
  }
  pollfd waiting{.fd = pipe, .events = 0, .revents = 0};  // POLLHUP is always reported
  if (poll(&waiting, 1, static_cast<int>(kPinPatience.count())) != 1) {
    return absl::InvalidArgumentError(
        "unlock: the PIN's pipe was not closed after writing; no try was spent; send it again");
  }
  return absl::OkStatus();
}

bool UsesPin(const BackendRequest& request) {
  return request.has_sign() || request.has_create_key() || request.has_remove_key();
}

}  // namespace

backend::v1::Error ToError(const absl::Status& status) {
  backend::v1::Error error;
  error.set_code(static_cast<int>(status.code()));
  error.set_message(std::string(status.message()));
  return error;
}

BackendResponse BackendService::AnswerSlowly(const BackendRequest& request,
                                             std::optional<ipc::Descriptor> descriptor) {
  LockIfDueSlowly();  // the alarm may have gone off while the call came
  BackendResponse response;
  const absl::Status status = CallSlowly(request, std::move(descriptor), response);
  if (!status.ok()) *response.mutable_error() = ToError(status);
  response.set_id(request.id());

  const AlarmClock::Time now = clock_.Now();
  lifetime_.Note(backend_->HoldsPin(), UsesPin(request), now);
  clock_.Set(lifetime_.end());
  if (const auto end = lifetime_.end()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*end - now);
    response.set_locks_in_ms(static_cast<uint64_t>(std::max<int64_t>(left.count(), 1)));
  }
  return response;
}

void BackendService::LockIfDueSlowly() {
  const std::optional<AlarmClock::Time> end = lifetime_.end();
  if (end && *end <= clock_.Now()) LockSlowly();
}

absl::Status BackendService::CallSlowly(const BackendRequest& request,
                                        std::optional<ipc::Descriptor> descriptor,
                                        BackendResponse& response) {
  const auto take = [](auto result, auto* into) {
    if (!result.ok()) return result.status();
    *into = *std::move(result);
    return absl::OkStatus();
  };
  switch (request.call_case()) {
    case BackendRequest::kConfigure:
      return absl::FailedPreconditionError(
          "configure: already done; start another signet-backend for another token source");
    case BackendRequest::kDescribe:
      return take(DescribeSlowly(), response.mutable_token());
    case BackendRequest::kCreateKey:
      return take(CreateKey(request.create_key()), response.mutable_create_key());
    case BackendRequest::kDescribeKey:
      return take(DescribeKey(request.describe_key()), response.mutable_describe_key());
    case BackendRequest::kSign:
      return take(Sign(request.sign()), response.mutable_sign());
    case BackendRequest::kRemoveKey:
      response.mutable_remove_key();
      return RemoveKey(request.remove_key());
    case BackendRequest::kUnlock:
      response.mutable_unlock();
      return Unlock(request.unlock(), std::move(descriptor));
    case BackendRequest::kLock:
      response.mutable_lock();
      return backend_->LockSlowly();
    case BackendRequest::kLook:
      return take(Look(), response.mutable_look());
    case BackendRequest::kListKeys:
      return take(ListKeys(), response.mutable_list_keys());
    case BackendRequest::CALL_NOT_SET:
      break;
  }
  return absl::UnimplementedError(
      "signet-backend: unknown call; are signetd and signet-backend of the same version?");
}

absl::StatusOr<backend::v1::TokenInfo> BackendService::DescribeSlowly() {
  absl::StatusOr<TokenState> state = backend_->DescribeSlowly();
  if (!state.ok()) return state.status();
  backend::v1::TokenInfo info;
  info.set_hardware(state->hardware);
  info.set_needs_pin(state->needs_pin);
  info.set_unlocked(state->unlocked);
  info.set_pin_pad(state->pin_pad);
  info.set_label(state->label);
  info.set_serial(state->serial);
  info.set_pin_tries(ToMessage(state->pin_tries));
  info.set_tries_left(state->tries_left);
  for (KeyAlgorithm algorithm : state->algorithms) {
    info.add_algorithms(std::string(Name(algorithm)));
  }
  return info;
}

absl::StatusOr<backend::v1::CreateKeyResponse> BackendService::CreateKey(
    const backend::v1::CreateKeyRequest& request) {
  const std::optional<KeyAlgorithm> algorithm = ParseKeyAlgorithm(request.algorithm());
  if (!algorithm.has_value()) {
    return absl::UnimplementedError("create key: unknown algorithm; use p256");
  }
  absl::StatusOr<CreatedKey> created = backend_->CreateKeySlowly(request.label(), *algorithm);
  if (!created.ok()) return created.status();
  backend::v1::CreateKeyResponse response;
  response.set_reference(ToString(created->reference));
  response.set_public_key(ToString(created->key->public_key()));
  keys_.Insert(std::move(created->reference), std::move(created->key));
  return response;
}

absl::StatusOr<backend::v1::DescribeKeyResponse> BackendService::DescribeKey(
    const backend::v1::DescribeKeyRequest& request) {
  absl::StatusOr<Key*> key = keys_.OpenSlowly(View(request.reference()));
  if (!key.ok()) return key.status();
  backend::v1::DescribeKeyResponse response;
  response.set_public_key(ToString((*key)->public_key()));
  for (wire::SignatureScheme scheme : (*key)->schemes()) {
    response.add_signature_schemes(static_cast<uint16_t>(scheme));
  }
  return response;
}

absl::StatusOr<backend::v1::SignResponse> BackendService::Sign(
    const backend::v1::SignRequest& request) {
  if (request.signature_scheme() > UINT16_MAX) {
    return absl::InvalidArgumentError("sign: a signature scheme has 16 bits");
  }
  absl::StatusOr<Key*> key = keys_.OpenSlowly(View(request.reference()));
  if (!key.ok()) return key.status();
  absl::StatusOr<wire::Bytes> signature = (*key)->SignSlowly(
      static_cast<wire::SignatureScheme>(request.signature_scheme()), View(request.message()));
  if (!signature.ok()) return signature.status();
  backend::v1::SignResponse response;
  response.set_signature(ToString(*signature));
  return response;
}

absl::Status BackendService::RemoveKey(const backend::v1::RemoveKeyRequest& request) {
  keys_.Forget(View(request.reference()));
  return backend_->RemoveKeySlowly(View(request.reference()));
}

absl::StatusOr<backend::v1::ListKeysResponse> BackendService::ListKeys() {
  absl::StatusOr<std::vector<FoundKey>> found = backend_->ListKeysSlowly();
  if (!found.ok()) return found.status();
  backend::v1::ListKeysResponse response;
  for (const FoundKey& key : *found) {
    backend::v1::FoundKey& listed = *response.add_keys();
    listed.set_reference(ToString(key.reference));
    listed.set_label(key.label);
    listed.set_algorithm(key.algorithm);
    listed.set_public_key(ToString(key.public_key));
    for (const wire::SignatureScheme scheme : key.schemes) {
      listed.add_signature_schemes(static_cast<uint16_t>(scheme));
    }
    for (const wire::Bytes& certificate : key.chain) listed.add_chain(ToString(certificate));
    if (response.ByteSizeLong() > kMostListed) {
      response.mutable_keys()->RemoveLast();
      response.set_left_out(response.left_out() + 1);
    }
  }
  return response;
}

absl::StatusOr<backend::v1::LookResponse> BackendService::Look() {
  const absl::StatusOr<bool> changed = backend_->LookSlowly();
  if (!changed.ok()) return changed.status();
  backend::v1::LookResponse response;
  response.set_changed(*changed);
  return response;
}

absl::Status BackendService::Unlock(const backend::v1::UnlockRequest& request,
                                    std::optional<ipc::Descriptor> pin_pipe) {
  if (!pin_pipe.has_value()) {
    return absl::InvalidArgumentError("unlock: no pipe with a PIN came along; no try was spent");
  }
  UnlockTarget target{.serial = request.serial(), .keys = {}, .last_try = request.last_try()};
  for (const std::string& reference : request.references()) {
    target.keys.emplace_back(reference.begin(), reference.end());
  }
  if (request.pin_pad()) return backend_->UnlockAtPinPadSlowly(target);
  if (absl::Status status = WaitUntilWritten(pin_pipe->get()); !status.ok()) return status;
  absl::StatusOr<Pin> pin = Pin::ReadFrom(pin_pipe->get());
  if (!pin.ok()) return pin.status();
  return backend_->UnlockSlowly(*std::move(pin), target);
}

void BackendService::LockSlowly() {
  backend_->LockSlowly().IgnoreError();
  lifetime_.Note(backend_->HoldsPin(), /*used=*/false, clock_.Now());
  clock_.Set(lifetime_.end());
}

}  // namespace signet::providers
