// For this folder's tests: the real core on a loop in a thread of its own, with keys, tokens and
// prompts that are fakes.
#ifndef SIGNET_AGENT_FRONT_TEST_AGENT_H_
#define SIGNET_AGENT_FRONT_TEST_AGENT_H_

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/thread_pool.hpp>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/audit/audit_log.h"
#include "agent/authentication/authentication.h"
#include "agent/consent/consent.h"
#include "agent/front/admin_calls.h"
#include "agent/front/agent_calls.h"
#include "agent/front/agent_sessions.h"
#include "agent/front/caller_limits.h"
#include "agent/front/gate.h"
#include "agent/front/tokens.h"
#include "agent/identity/enrolment.h"
#include "agent/identity/identity_store.h"
#include "agent/policy/policy.h"
#include "ipc/agent.pb.h"
#include "ipc/transport/blocking_channel.h"
#include "tests/support/test_ca.h"

namespace signet::agent {

// A number that one thread raises and another waits for.
class Count {
 public:
  void Add();
  int value() const;
  // False when it takes more than 60 s.
  bool Reaches(int value);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int value_ = 0;
};

// All keys are the same key; signing can be held up.
class FakeKeys : public Signer, public KeyMaker {
 public:
  explicit FakeKeys(test::TestKey key) : key_(std::move(key)) {}

  asio::awaitable<absl::StatusOr<wire::Bytes>> Sign(const KeyReference& key,
                                                    wire::SignatureScheme scheme,
                                                    wire::BytesView message, SignatureCheck check,
                                                    Deadline deadline) override;
  bool WantsPin(const KeyReference&) const override { return false; }
  asio::awaitable<absl::StatusOr<NewKey>> CreateKey(const std::string& backend,
                                                    const std::string& label,
                                                    const std::string& algorithm,
                                                    Deadline deadline) override;
  asio::awaitable<absl::Status> RemoveKey(const KeyReference& key, Deadline deadline) override;

  // On the loop. From now on signing waits; Release lets all that wait go on.
  void Hold() { held_ = true; }
  void Release();

  Count started;    // signatures
  Count cancelled;  // while held

 private:
  const test::TestKey key_;
  bool held_ = false;
  std::list<asio::steady_timer*> waiting_;
};

// One backend, "trial", whose PIN is 1234.
class FakeTokens : public Tokens {
 public:
  std::vector<BackendStatus> Statuses() const override { return {status}; }
  absl::Status CheckOurs(const std::string&) const override { return ours; }
  asio::awaitable<absl::Status> Unlock(std::string backend, std::vector<wire::Bytes>,
                                       ipc::Descriptor pin, LastTry last_try,
                                       Deadline deadline) override;
  asio::awaitable<absl::Status> Lock(std::string backend, Deadline deadline) override;
  asio::awaitable<void> LockAll(Deadline) override {
    status.state = BackendState::kLocked;
    co_return;
  }

  BackendStatus status{"trial", "software", BackendState::kReady, 0, "", "", false, "trial", 0};
  bool blocked = false;
  absl::Status ours;
  LastTry last_try = LastTry::kKeep;  // of the last unlock
};

// Remembers, for any thread.
class FakeAudit : public AuditLog {
 public:
  void Write(const AuditRecord& record) override;
  absl::Status CheckRecording() const override { return absl::OkStatus(); }

  // The last one of this event, once there is one; waits up to 60 s.
  AuditRecord Last(const std::string& event) const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<AuditRecord> records_;
};

struct TestAgentOptions {
  Access access = {};  // default: this process's uid for both
  size_t max_connections = CallerLimits::kMaxConnectionsPerUid;
  size_t max_requests = CallerLimits::kMaxRequestsPerUid;
};

// Holds two user identities of one key: "alice", which rules allow at every origin, and "secret",
// which none admits.
class TestAgent {
 public:
  explicit TestAgent(TestAgentOptions options = {});
  ~TestAgent();

  // A connection to agent.sock's sessions.
  ipc::BlockingChannel Connect();
  // The same, without framing.
  ipc::Descriptor ConnectRaw();

  // Runs `work` on the loop's thread and waits for it.
  void OnLoop(const std::function<void()>& work);

  std::filesystem::path folder() const { return folder_; }

 private:
  const std::filesystem::path folder_;

 public:
  const test::TestCa ca;
  const test::TestKey key;

  asio::io_context loop{1};
  asio::thread_pool file_worker{1};
  IdentityStore identities;
  Policy policy;
  FakeKeys keys;
  FakeTokens tokens;
  NoPrompter prompter;
  FakeAudit audit;
  Enrolment enrolment;
  Authentication authentication;
  CallerLimits limits;
  ProcessReader reader;
  Gate gate;
  AgentCalls agent_calls;
  AdminCalls admin_calls;
  AgentSessions sessions;

 private:
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

// A request that "alice" satisfies. Each gets its own handshake context, as each connection has.
v1::AuthenticateRequest AuthenticateMessage();
v1::ClientMessage AuthenticateCall(uint64_t id);

void Send(ipc::BlockingChannel& channel, const v1::ClientMessage& message, int descriptor = -1);
// An error of id 0 and code UNSPECIFIED when none comes.
v1::AgentMessage Receive(ipc::BlockingChannel& channel);
// True when the agent has ended the connection.
bool Ended(ipc::BlockingChannel& channel);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_FRONT_TEST_AGENT_H_
