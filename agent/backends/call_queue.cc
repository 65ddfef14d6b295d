#include "agent/backends/call_queue.h"

#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "absl/strings/str_cat.h"

namespace signet::agent {

void QueuedCall::Answer(BackendAnswer answer) {
  answer_ = std::move(answer);
  answered_.cancel();
}

// However its caller leaves: answered, late, cancelled, or destroyed with the loop. Touches nothing
// but the call, since the queue may be gone by then.
void QueuedCall::Leave() {
  left_ = true;
  if (taken_) return;
  request.Clear();
  descriptor.Reset();
}

CallQueue::CallQueue(asio::any_io_executor executor, std::string backend, size_t capacity,
                     std::function<void()> on_arrival)
    : executor_(std::move(executor)),
      backend_(std::move(backend)),
      capacity_(capacity),
      on_arrival_(std::move(on_arrival)) {}

asio::awaitable<BackendAnswer> CallQueue::Submit(backend::v1::BackendRequest request,
                                                 ipc::Descriptor descriptor, Deadline deadline,
                                                 SignatureCheck check) {
  if (!closed_.ok()) co_return closed_;
  DropLeft();
  if (calls_.size() >= capacity_) {
    co_return absl::ResourceExhaustedError(absl::StrCat("backend ", backend_, ": ", NameOf(request),
                                                        ": ", capacity_,
                                                        " calls wait already; try again later"));
  }
  const auto call = std::make_shared<QueuedCall>(executor_, std::move(request),
                                                 std::move(descriptor), deadline, std::move(check));
  calls_.push_back(call);
  BackendAnswer answer = co_await WaitFor(call);
  co_return answer;
}

asio::awaitable<BackendAnswer> CallQueue::SubmitLock(Deadline deadline) {
  if (!closed_.ok()) co_return closed_;
  DropLeft();
  backend::v1::BackendRequest request;
  request.mutable_lock();
  const auto call = std::make_shared<QueuedCall>(executor_, std::move(request), ipc::Descriptor(),
                                                 deadline, SignatureCheck());
  calls_.push_front(call);
  BackendAnswer answer = co_await WaitFor(call);
  co_return answer;
}

void CallQueue::DropUnlocks() {
  for (const std::shared_ptr<QueuedCall>& call : calls_) {
    if (!call->request.has_unlock()) continue;
    call->Answer(absl::CancelledError(
        absl::StrCat("backend ", backend_,
                     ": unlock: it was locked meanwhile; no try was spent; unlock again")));
  }
  std::erase_if(calls_, [](const auto& call) { return call->request.has_unlock(); });
}

asio::awaitable<BackendAnswer> CallQueue::WaitFor(std::shared_ptr<QueuedCall> call) {
  struct Guard {
    ~Guard() { call.Leave(); }
    QueuedCall& call;
  } const guard{*call};
  call->answered_.expires_at(call->deadline);
  on_arrival_();
  asio::error_code error;
  co_await call->answered_.async_wait(asio::redirect_error(asio::use_awaitable, error));
  if (call->answer_) co_return *std::move(call->answer_);
  if (error) {
    co_return absl::CancelledError(
        absl::StrCat("backend ", backend_, ": ", NameOf(call->request), ": cancelled"));
  }
  co_return Late(*call);
}

absl::Status CallQueue::Late(const QueuedCall& call) const {
  return absl::DeadlineExceededError(absl::StrCat(
      "backend ", backend_, ": ", NameOf(call.request),
      call.taken_ ? ": no answer by the deadline; allow more time, or see signet token list"
                  : ": its turn did not come before the deadline; try again later"));
}

std::shared_ptr<QueuedCall> CallQueue::Take() {
  const Deadline now = std::chrono::steady_clock::now();
  while (!empty()) {
    std::shared_ptr<QueuedCall> call = std::move(calls_.front());
    calls_.pop_front();
    if (call->deadline > now) {
      call->taken_ = true;
      return call;
    }
    call->Answer(Late(*call));
  }
  return nullptr;
}

bool CallQueue::empty() {
  DropLeft();
  return calls_.empty();
}

void CallQueue::DropLeft() {
  std::erase_if(calls_, [](const auto& call) { return call->left_; });
}

void CallQueue::FailAll(const absl::Status& status) {
  for (const std::shared_ptr<QueuedCall>& call : std::exchange(calls_, {})) call->Answer(status);
}

void CallQueue::Close(const absl::Status& status) {
  closed_ = status;
  FailAll(status);
}

std::string NameOf(const backend::v1::BackendRequest& request) {
  using backend::v1::BackendRequest;
  switch (request.call_case()) {
    case BackendRequest::kConfigure:
      return "start";
    case BackendRequest::kDescribe:
      return "describe";
    case BackendRequest::kCreateKey:
      return "create key";
    case BackendRequest::kDescribeKey:
      return "describe key";
    case BackendRequest::kSign:
      return "sign";
    case BackendRequest::kRemoveKey:
      return "remove key";
    case BackendRequest::kUnlock:
      return "unlock";
    case BackendRequest::kLock:
      return "lock";
    case BackendRequest::kListKeys:
      return "list keys";
    case BackendRequest::kLook:
      return "look";
    case BackendRequest::CALL_NOT_SET:
      break;
  }
  return "call";
}

}  // namespace signet::agent
