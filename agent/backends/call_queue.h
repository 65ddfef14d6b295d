// The calls to one backend, first come, first served.
#ifndef SIGNET_AGENT_BACKENDS_CALL_QUEUE_H_
#define SIGNET_AGENT_BACKENDS_CALL_QUEUE_H_

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/identity/key_source.h"
#include "ipc/backend.pb.h"
#include "ipc/transport/descriptor.h"

namespace signet::agent {

using BackendAnswer = absl::StatusOr<backend::v1::BackendResponse>;

// One call. Shared: its caller may leave while the backend works on it.
class QueuedCall {
 public:
  QueuedCall(const asio::any_io_executor& executor, backend::v1::BackendRequest call,
             ipc::Descriptor passed_on, Deadline end, SignatureCheck signature_check)
      : request(std::move(call)),
        descriptor(std::move(passed_on)),
        deadline(end),
        check(std::move(signature_check)),
        answered_(executor) {}

  // Wakes the caller, if it still waits.
  void Answer(BackendAnswer answer);

  backend::v1::BackendRequest request;
  ipc::Descriptor descriptor;  // invalid when none goes with it
  const Deadline deadline;
  const SignatureCheck check;  // of a request to sign

 private:
  friend class CallQueue;

  void Leave();

  std::optional<BackendAnswer> answer_;
  bool taken_ = false;
  bool left_ = false;  // its caller is gone
  asio::steady_timer answered_;
};

// Loop thread only. Callers' coroutines end before it goes, or never run again.
class CallQueue {
 public:
  // `on_arrival` runs when a call has come.
  CallQueue(asio::any_io_executor executor, std::string backend, size_t capacity,
            std::function<void()> on_arrival);

  // The caller's side: waits for the answer. Ends with kDeadlineExceeded at the deadline, with
  // kCancelled when the coroutine is cancelled; a call that nobody has taken by then leaves the
  // queue, one that was taken goes on without its caller. kResourceExhausted when the queue is
  // full.
  asio::awaitable<BackendAnswer> Submit(backend::v1::BackendRequest request,
                                        ipc::Descriptor descriptor, Deadline deadline,
                                        SignatureCheck check);
  // The same for a lock, before all others, however many they are. Without DropUnlocks, those that
  // wait undo it.
  asio::awaitable<BackendAnswer> SubmitLock(Deadline deadline);
  void DropUnlocks();  // they fail with kCancelled

  // The supervisor's side: the oldest call that has time left, which it must answer; null when
  // there is none.
  std::shared_ptr<QueuedCall> Take();
  bool empty();

  // Answers every call in the queue with this.
  void FailAll(const absl::Status& status);

  // FailAll, and the same for whoever comes later.
  void Close(const absl::Status& status);

 private:
  absl::Status Late(const QueuedCall& call) const;
  asio::awaitable<BackendAnswer> WaitFor(std::shared_ptr<QueuedCall> call);

  void DropLeft();

  asio::any_io_executor executor_;
  const std::string backend_;
  const size_t capacity_;
  const std::function<void()> on_arrival_;
  absl::Status closed_;
  std::deque<std::shared_ptr<QueuedCall>> calls_;
};

// "sign", "create key", ...: for messages.
std::string NameOf(const backend::v1::BackendRequest& request);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_BACKENDS_CALL_QUEUE_H_
