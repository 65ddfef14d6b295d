#include "agent/backends/backend_pool.h"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"

namespace signet::agent {
namespace {

using backend::v1::BackendRequest;

constexpr std::chrono::seconds kRemovalPatience{5};

std::string ToString(wire::BytesView bytes) { return {bytes.begin(), bytes.end()}; }
wire::Bytes ToBytes(const std::string& text) { return {text.begin(), text.end()}; }

BackendRequest RemovalOf(const wire::Bytes& reference) {
  BackendRequest request;
  request.mutable_remove_key()->set_reference(ToString(reference));
  return request;
}

}  // namespace

BackendPool::BackendPool(asio::any_io_executor executor, std::vector<BackendConfiguration> backends,
                         std::filesystem::path program, KeysListener on_keys, BackendLimits limits)
    : executor_(executor) {
  for (BackendConfiguration& backend : backends) {
    backends_.push_back(std::make_unique<BackendSupervisor>(executor, std::move(backend), program,
                                                            limits, on_keys));
  }
}

void BackendPool::Start() {
  for (const auto& backend : backends_) backend->Start();
}

void BackendPool::OnChange(const std::function<void()>& changed) {
  for (const auto& backend : backends_) backend->OnChange(changed);
}

asio::awaitable<void> BackendPool::Stop() {
  for (const auto& backend : backends_) backend->BeginStop();
  for (const auto& backend : backends_) co_await backend->Stop();
}

asio::awaitable<absl::StatusOr<wire::Bytes>> BackendPool::Sign(const KeyReference& key,
                                                               wire::SignatureScheme scheme,
                                                               wire::BytesView message,
                                                               SignatureCheck check,
                                                               Deadline deadline) {
  BackendRequest request;
  request.mutable_sign()->set_reference(ToString(key.reference));
  request.mutable_sign()->set_signature_scheme(static_cast<uint16_t>(scheme));
  request.mutable_sign()->set_message(ToString(message));
  const BackendAnswer answer =
      co_await Call(key.backend, std::move(request), ipc::Descriptor(), deadline, std::move(check));
  if (!answer.ok()) co_return answer.status();
  co_return ToBytes(answer->sign().signature());
}

bool BackendPool::WantsPin(const KeyReference& key) const {
  const BackendSupervisor* const backend = Find(key.backend);
  return backend != nullptr && backend->Status().state == BackendState::kLocked;
}

asio::awaitable<absl::StatusOr<NewKey>> BackendPool::CreateKey(const std::string& backend,
                                                               const std::string& label,
                                                               const std::string& algorithm,
                                                               Deadline deadline) {
  BackendRequest request;
  request.mutable_create_key()->set_label(label);
  request.mutable_create_key()->set_algorithm(algorithm);
  const BackendAnswer created =
      co_await Call(backend, std::move(request), ipc::Descriptor(), deadline);
  if (!created.ok()) co_return created.status();
  NewKey key;
  key.key = {backend, ToBytes(created->create_key().reference())};
  key.public_key = ToBytes(created->create_key().public_key());

  BackendRequest question;
  question.mutable_describe_key()->set_reference(created->create_key().reference());
  const BackendAnswer described =
      co_await Call(backend, std::move(question), ipc::Descriptor(), deadline);
  if (!described.ok()) {
    // Nobody will know of the key: it must not stay on the token.
    const Deadline removal_deadline = std::chrono::steady_clock::now() + kRemovalPatience;
    const BackendAnswer removed =
        co_await Call(backend, RemovalOf(key.key.reference), ipc::Descriptor(), removal_deadline);
    co_return described.status();
  }
  for (const uint32_t scheme : described->describe_key().signature_schemes()) {
    key.schemes.push_back(static_cast<wire::SignatureScheme>(scheme));
  }
  key.hardware = Find(backend)->Status().hardware;
  co_return key;
}

asio::awaitable<absl::Status> BackendPool::RemoveKey(const KeyReference& key, Deadline deadline) {
  const BackendAnswer answer =
      co_await Call(key.backend, RemovalOf(key.reference), ipc::Descriptor(), deadline);
  co_return answer.status();
}

asio::awaitable<absl::Status> BackendPool::Unlock(std::string backend,
                                                  std::vector<wire::Bytes> keys,
                                                  ipc::Descriptor pin_pipe, LastTry last_try,
                                                  Deadline deadline) {
  BackendRequest request;
  request.mutable_unlock()->set_last_try(last_try == LastTry::kSpend);
  for (const wire::Bytes& key : keys) request.mutable_unlock()->add_references(ToString(key));
  const BackendAnswer answer =
      co_await Call(backend, std::move(request), std::move(pin_pipe), deadline);
  co_return answer.status();
}

asio::awaitable<absl::Status> BackendPool::Lock(std::string backend, Deadline deadline) {
  BackendRequest request;
  request.mutable_lock();
  const BackendAnswer answer =
      co_await Call(backend, std::move(request), ipc::Descriptor(), deadline);
  co_return answer.status();
}

asio::awaitable<void> BackendPool::LockAll(Deadline deadline) {
  struct Locking {
    size_t left;
    asio::steady_timer done;  // cancelled when none is left
  };
  // Shared: they go on when who waits for them leaves.
  const auto locking = std::make_shared<Locking>(
      Locking{backends_.size(), asio::steady_timer(executor_, Deadline::max())});
  for (const auto& backend : backends_) {
    asio::co_spawn(executor_, backend->LockFirst(deadline), [locking](std::exception_ptr) {
      if (--locking->left == 0) locking->done.cancel();
    });
  }
  asio::error_code ignored;
  while (locking->left > 0) {
    co_await locking->done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

std::vector<BackendStatus> BackendPool::Statuses() const {
  std::vector<BackendStatus> statuses;
  for (const auto& backend : backends_) statuses.push_back(backend->Status());
  return statuses;
}

asio::awaitable<BackendAnswer> BackendPool::Call(const std::string& backend, BackendRequest request,
                                                 ipc::Descriptor descriptor, Deadline deadline,
                                                 SignatureCheck check) {
  BackendSupervisor* const found = Find(backend);
  if (found == nullptr) {
    co_return absl::NotFoundError(absl::StrCat("backend ", backend, ": ", NameOf(request),
                                               ": it is not configured; see signet status"));
  }
  BackendAnswer answer =
      co_await found->Call(std::move(request), std::move(descriptor), deadline, std::move(check));
  co_return answer;
}

BackendSupervisor* BackendPool::Find(const std::string& name) const {
  const auto found =
      std::ranges::find_if(backends_, [&](const auto& backend) { return backend->name() == name; });
  return found == backends_.end() ? nullptr : found->get();
}

}  // namespace signet::agent
