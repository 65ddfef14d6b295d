// The key of an identity of the agent (kind server, purpose server): it signs on a thread of its
// own, because the agent, and a TPM behind it, take their time.
#ifndef SIGNET_CLIENT_LIB_TOOLS_AGENT_KEY_H_
#define SIGNET_CLIENT_LIB_TOOLS_AGENT_KEY_H_

#include <signet/key.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "client-lib/tools/descriptor.h"
#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/signing_key.h"

namespace signet::tools {

// What the agent shows of an identity.
struct AgentIdentity {
  std::vector<uint8_t> public_key;          // SubjectPublicKeyInfo
  std::vector<std::vector<uint8_t>> chain;  // DER, leaf first; may be empty
};
// Asks the agent where libsignet looks for it. Nothing, with a reason in `error`, when it does not
// show the identity to us.
std::optional<AgentIdentity> FindAgentIdentitySlowly(const std::string& name, std::string& error);

class AgentKey : public SigningKey {
 public:
  AgentKey(std::string identity, std::vector<uint8_t> public_key);
  // Waits for a signature in progress, a few seconds at most; what waits behind it gets no answer.
  ~AgentKey() override;

  void Start(EventLoop& loop) override;
  std::vector<uint16_t> schemes() const override { return schemes_; }
  void Sign(uint16_t scheme, std::vector<uint8_t> message, std::weak_ptr<const void> owner,
            Done done) override;

 private:
  struct Job {
    uint16_t scheme;
    std::vector<uint8_t> message;
    std::weak_ptr<const void> owner;
    Done done;
    Signature signature{};
  };

  void Run(const std::stop_token& stop);
  Signature SignSlowly(const Job& job) const;
  void TakeFinished();

  const std::string identity_;
  const std::vector<uint8_t> public_key_;
  const std::vector<uint16_t> schemes_;
  Descriptor event_;  // readable when jobs are finished
  std::mutex mutex_;
  std::condition_variable_any waiting_changed_;
  std::deque<Job> waiting_;  // these two under mutex_
  std::deque<Job> finished_;
  std::optional<Watch> watch_;
  std::jthread thread_;  // the last member: it uses the others
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_AGENT_KEY_H_
