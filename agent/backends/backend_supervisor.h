// One configured backend: its signet-backend process, kept running, and the calls to it.
#ifndef SIGNET_AGENT_BACKENDS_BACKEND_SUPERVISOR_H_
#define SIGNET_AGENT_BACKENDS_BACKEND_SUPERVISOR_H_

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "agent/backends/backend_process.h"
#include "agent/backends/backend_status.h"
#include "agent/backends/call_queue.h"
#include "agent/identity/key_source.h"
#include "agent/policy/configuration.h"
#include "ipc/backend.pb.h"

namespace signet::agent {

using KeysListener = std::function<void(const std::string& backend, std::vector<FoundKey> keys)>;

struct BackendLimits {
  size_t waiting_calls = 256;
  // A call may take this long whatever its deadline: who asks at the last moment, or in a hurry,
  // must not get a healthy token killed, and its PIN with it.
  std::chrono::milliseconds shortest_call{5'000};
  std::chrono::milliseconds first_back_off{100};
  std::chrono::milliseconds longest_back_off{10'000};
  std::chrono::milliseconds configure{30'000};
  std::chrono::milliseconds describe{5'000};
  std::chrono::milliseconds list_keys{30'000};  // a smartcard's certificates come slowly
  std::chrono::milliseconds look{300};          // whether a token came or went
  std::chrono::milliseconds look_again{2'000};  // for a token that is not there
  std::chrono::milliseconds stop{1'000};        // to end by itself once its socket is closed
  std::chrono::minutes longest_call{10};        // whatever its deadline
};

// The process handles one request at a time. When it hangs past a call's deadline, and past the
// shortest_call that every call may take, or answers what makes no sense, or a signature that its
// key did not make (another token may be there, which must get no PIN of this one), it is killed,
// and whenever it ends it is started again: at once the first time, then after a delay that doubles
// until a call has been answered. The call in flight fails, those that wait stay in the queue; a
// start that fails, fails them all. While nobody asks for anything, the process looks every now and
// then whether a token came or went; one that is not there is also described anew, though less
// often, because some modules do not see it come, and by a new process when somebody asks. A caller
// that leaves does not disturb the stream: the answer is read and dropped.
//
// What keys the token holds is asked whenever that may have changed: when it comes, is unlocked,
// misses a key, and after keys were made and removed.
//
// Loop thread only. Stop has ended before this goes, or the loop does not run again.
class BackendSupervisor {
 public:
  // `on_keys` hears of all keys that the token holds; of none once it is gone.
  BackendSupervisor(asio::any_io_executor executor, BackendConfiguration configuration,
                    std::filesystem::path program, BackendLimits limits, KeysListener on_keys);

  // Once. The process starts when the loop runs.
  void Start();

  // OK is the answer asked for; error answers become the status. kDeadlineExceeded,
  // kResourceExhausted and kCancelled as CallQueue::Submit's; kUnavailable when the process failed
  // or the agent stops; kDataLoss when it made a signature that `check` refuses, which a request to
  // sign needs. `request` needs no id.
  asio::awaitable<BackendAnswer> Call(backend::v1::BackendRequest request,
                                      ipc::Descriptor descriptor, Deadline deadline,
                                      SignatureCheck check);

  // Before all other calls, and instead of the unlocks that wait. A process that has not locked its
  // token by the deadline is ended, and with it what it knew: that always succeeds.
  asio::awaitable<void> LockFirst(Deadline deadline);

  const std::string& name() const { return configuration_.name; }
  BackendStatus Status() const;
  // Called when Status() says something else. Set before Start.
  void OnChange(std::function<void()> changed) { changed_ = std::move(changed); }

  // Fails all calls and tells the process to end.
  void BeginStop();
  // The same, and waits until it has ended, or was killed, and is reaped.
  asio::awaitable<void> Stop();

 private:
  asio::awaitable<void> Run();
  asio::awaitable<void> BackOff();
  asio::awaitable<void> RunProcess();

  // These return OK, or why the process is of no more use (BackendProcess::Ask).
  asio::awaitable<absl::Status> Serve();
  asio::awaitable<absl::Status> Configure();
  asio::awaitable<absl::Status> Look();
  asio::awaitable<absl::Status> Describe();
  asio::awaitable<absl::Status> WelcomeToken();
  asio::awaitable<absl::Status> ListKeys();
  asio::awaitable<absl::Status> ServeCall();
  asio::awaitable<absl::Status> WaitForWork();
  asio::awaitable<absl::StatusOr<backend::v1::BackendResponse>> Ask(
      const backend::v1::BackendRequest& request, int descriptor, Deadline end);

  // Since the machine was started, as the backend counts it.
  static std::chrono::nanoseconds BootTime();
  // How long the token stays unlocked by itself, less than nothing when that is over; nothing when
  // it does not end.
  std::optional<std::chrono::nanoseconds> PinTimeLeft() const;
  bool IsLocked() const;

  void TellChange();
  void TellKeys(const backend::v1::ListKeysResponse& listed);
  void NoteToken(const backend::v1::BackendResponse& answer);
  void NoteAnswer(const backend::v1::BackendRequest& request, const absl::Status& status);
  void NoteFault(const absl::Status& explanation);
  absl::Status Explain(const absl::Status& fault, const std::string& end) const;
  absl::Status Prefixed(std::string_view operation, const absl::Status& status) const;

  const asio::any_io_executor executor_;
  const BackendConfiguration configuration_;
  const std::filesystem::path program_;
  const BackendLimits limits_;
  const KeysListener on_keys_;
  std::function<void()> changed_;
  BackendStatus told_;  // as of the last change

  CallQueue queue_;
  std::shared_ptr<QueuedCall> current_;  // in flight
  uint64_t last_id_ = 0;

  std::unique_ptr<BackendProcess> process_;           // null when none runs
  backend::v1::TokenInfo token_;                      // what was said last, by whichever process
  std::optional<std::chrono::nanoseconds> locks_at_;  // BootTime
  bool configured_ = false;                           // this process has its token
  bool token_failed_ = false;                         // and was told so
  bool idle_ = false;                                 // it waits for a call
  bool looks_ = true;  // until it says that there is nothing to look for
  bool look_wanted_ = false;
  bool describe_wanted_ = false;
  bool list_wanted_ = false;

  absl::Status last_error_;  // reads "what happened; what to do next"
  uint32_t failures_ = 0;    // in a row
  uint32_t starts_ = 0;
  bool backing_off_ = false;
  bool running_ = false;
  bool stopping_ = false;
  asio::steady_timer wake_;  // ends a back-off
  asio::steady_timer look_;  // ends the waiting for a call, to look for the token
  Deadline next_look_;
  Deadline next_description_;    // of a token that is not there
  asio::steady_timer finished_;  // cancelled when Run has ended
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_BACKENDS_BACKEND_SUPERVISOR_H_
